"""Flags of significance as a benchmark workbook prints them, beside those that are rebuilt here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.problems import counted
from culture_metrics.published import Published

if TYPE_CHECKING:
    from culture_metrics.compare.pairs import Given

FLAGS = (-1.0, 0.0, 1.0)
#: What a column of flags is called beside the code of its measure.
_MARK = r"(?i)(^sig_|_sig(_20\d\d)?$)"


def printed_flags(published: Published) -> pl.DataFrame:
    """Return what a benchmark workbook says of the change from the last year but one to the last.

    Returns
    -------
    polars.DataFrame
        `organisation, measure, period_from, period_to` and `printed`: 1, 0 or -1.
    """
    beside: pl.DataFrame | None = published.provenance.get("beside")
    periods = published.provenance.get("periods", ())
    schema = {"organisation": pl.String, "measure": pl.String, "printed": pl.Int8}
    if beside is None or len(periods) < 2:
        return pl.DataFrame(schema={**schema, "period_from": pl.String, "period_to": pl.String})
    code = pl.col("column").str.replace(_MARK, "").str.to_lowercase()
    found = beside.filter(kind="significance").select(
        "organisation",
        measure=code.replace_strict(published.edition.codes, default=None, return_dtype=pl.String),
        printed=pl.when(pl.col("value").is_in(FLAGS)).then(pl.col("value").cast(pl.Int8, strict=False)),
    )
    ends = {"period_from": pl.lit(periods[-2]), "period_to": pl.lit(periods[-1])}
    return found.drop_nulls().unique(["organisation", "measure"], maintain_order=True).with_columns(**ends)


def with_printed_flags(table: pl.DataFrame, results: Given) -> tuple[pl.DataFrame, list[str]]:
    """Take `official_flag` from the workbook where it prints one, and say how far those rebuilt agree."""
    parts = [results] if isinstance(results, Published) else results
    books = [p for p in parts if isinstance(p, Published)] if isinstance(parts, Iterable) else []
    key = ["organisation", "measure", "period_from", "period_to"]
    flags = [found for book in books if (found := printed_flags(book)).height]
    if not flags:
        return table, []
    whole = (pl.col("breakdown") == ALL) & (pl.col("group") == ALL)
    both = table.join(pl.concat(flags).unique(key), on=key, how="left", maintain_order="left")
    both = both.with_columns(printed=pl.when(whole).then("printed"))
    compared = both.drop_nulls(["printed", "official_flag"])
    same = compared.filter(pl.col("printed") == pl.col("official_flag")).height
    count = both["printed"].count()
    note = (
        f"The official flag is as the workbook prints it in {counted(count, 'row')}; the one rebuilt "
        f"here is the same in {same:,} of the {compared.height:,} that have both."
    )
    flagged = both.with_columns(official_flag=pl.coalesce("printed", "official_flag")).drop("printed")
    return flagged, [note] if count else []
