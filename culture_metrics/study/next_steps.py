"""What to look at next, where the survey itself says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.beyond_profile import bright_spots
from culture_metrics.compare.difference import ALPHA
from culture_metrics.compare.oversight import further
from culture_metrics.contract import ALL
from culture_metrics.errors import CultureMetricsError
from culture_metrics.multiplicity import adjust
from culture_metrics.wording.numbers import in_sentence, shown, signed, together

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.study.study import Study

EXTRACT, YEARS, STANDING = "01_check_an_extract", "03_year_on_year", "04_benchmark_and_peers"
#: Groups and organisations that are named, and what share of groups with a likely fall may be chance.
NAMED, CHANCE = 3, 0.2


def next_steps(study: Study, named: str) -> Iterator[tuple[str, str]]:
    """Say what to look at, and the notebook that shows more: nothing where the files point at nothing.

    `named` is what was said already: groups in it are not told again.
    """
    if study.workbook:
        yield from ((text, STANDING) for text in (*_quarters(study), *_whom_to_ask(study)))
    if study.extracts and not study.why_no_change:
        yield from ((text, YEARS) for text in _falls(study, named))
    yield from ((text, EXTRACT) for text in _who_is_silent(study))


def _quarters(study: Study) -> Iterator[str]:
    """Say how far the next quarter of the sector is."""
    overseen = study.overseen
    if isinstance(overseen, str):
        return
    for row in overseen.table.drop_nulls("to_next_quarter").iter_rows(named=True):
        yield (
            f"{row['label']} ({row['metric']}): the next quarter of {overseen.sector.lower()} begins "
            f"{further(row['to_next_quarter'])} higher."
        )


def _whom_to_ask(study: Study) -> Iterator[str]:
    """Name who does better than their profile predicts where this organisation stands lowest."""
    found = study.benchmark()
    leading = found.table.filter(pl.col("level").is_in(study.edition.survey.leading))
    low = leading.filter(pl.col("estimate") < pl.col("median")).sort("percentile", nulls_last=True)
    if low.is_empty():
        return
    measure, label = low.row(0, named=True)["measure"], in_sentence(low["label"][0])
    try:
        bright = bright_spots(study.releases[0], measure).table.filter("bright", benchmark_group=found.group)
    except CultureMetricsError:
        return
    others = bright.filter(pl.col("organisation") != study.organisation).sort("excess", descending=True)
    if others.height:
        unit = str(low["unit"][0])
        named = together(
            f"{row['name'] or row['organisation']} ({signed(row['excess'], unit)})"
            for row in others.head(NAMED).iter_rows(named=True)
        )
        yield (
            f"To ask how they do it: on {label}, where the standing is lowest, {named} "
            f"{'does' if others.height == 1 else 'do'} better than the profile of staff and place predicts."
        )


def _falls(study: Study, named: str) -> Iterator[str]:
    """Name groups that are likely to have fallen in some leading score, and were not named before.

    All groups of a breakdown are one family: of those named one in five is expected to be chance.
    """
    leading = [*study.edition.leading]
    rows = study.compare_years().table.filter(
        pl.col("breakdown") != ALL, pl.col("measure").is_in(leading), pl.col("p_value").is_not_null()
    )
    fell = pl.col("difference") < 0
    groups = rows.group_by("breakdown", "group", maintain_order=True).agg(
        # The smallest of all scores of a group, allowed for how many they are.
        p=(pl.col("p_value").min() * pl.len()).clip(0, 1),
        way=fell.get(pl.col("p_value").arg_min()),
        scores=(fell & (pl.col("p_value") < ALPHA)).sum(),
    )
    found = [
        part.with_columns(q=pl.Series(adjust(part["p"].to_numpy()), dtype=pl.Float64))
        for part in groups.partition_by("breakdown", maintain_order=True)
    ]
    if not found:
        return
    likely = pl.concat(found).filter("way", pl.col("q") < CHANCE).sort("q", "group")
    new = [(g, n) for g, n in likely.select("group", "scores").iter_rows() if g not in named][:NAMED]
    if new:
        said = together(f"{group} ({n} of {len(leading)} leading scores)" for group, n in new)
        yield f"Likely falls, of which one in five may be chance: {said}. Ask there what changed."


def _who_is_silent(study: Study) -> Iterator[str]:
    """Name the groups whose response rate lies clearly below that of all that have one."""
    for rates in study.response_rates().rates:
        rows = rates.table.filter(pl.col("breakdown") != ALL, status="reported").drop_nulls("estimate")
        for (_,), groups in rows.group_by("breakdown", maintain_order=True):
            all_ = 100 * float(groups["base"].sum()) / float(groups["staff"].sum())
            low = groups.filter(pl.col("conf_high") < all_).sort("estimate").head(NAMED)
            told = [
                f"{row['group']} ({shown(row['estimate'], 'percent')})" for row in low.iter_rows(named=True)
            ]
            if told:
                yield (
                    f"Fewest answered in {together(told)}, of all groups with headcounts "
                    f"{shown(all_, 'percent')}: what is said of them rests on fewer voices."
                )
