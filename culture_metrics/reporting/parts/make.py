"""Pages for the parts of an organisation, from files to a folder: an index, a sheet for each, PDFs."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any

import polars as pl

import culture_metrics
from culture_metrics.contract import check_released
from culture_metrics.errors import InputWarning, ReportError, warn
from culture_metrics.files.safety import check_address_space
from culture_metrics.reporting.delivery import LEDGER, deliver, workshop
from culture_metrics.reporting.manifest import manifest
from culture_metrics.reporting.parts.browser import find_browser, printer
from culture_metrics.reporting.parts.chosen import choose, keep_pages, number_of, plural
from culture_metrics.reporting.parts.filenames import filename, filenames
from culture_metrics.reporting.parts.material import gather
from culture_metrics.reporting.parts.page import TEMPLATES, Words, environment, one_page
from culture_metrics.study import read
from culture_metrics.views import style
from culture_metrics.wording.numbers import in_sentence, together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culture_metrics.reporting.parts.chosen import Chosen
    from culture_metrics.reporting.parts.material import Material
    from culture_metrics.study.study import Study

    Tell = Callable[[str, int, int], None]

INDEX, MANIFEST = "index.html", "manifest.json"
STEPS = (
    "Reading and checking the files",
    "Scoring and estimating",
    "Writing the pages",
    "Printing the pages",
)
GIVES_AWAY = "beside what else is shown a page would give away figures of few people elsewhere"
OF_EARLIER = (
    "An earlier report into this folder counts as well: what it shows stays, and was decided first. If it "
    "went to nobody, delete ledger.json in this folder and make these pages before the report."
)
OF_FEW = (
    "Where small groups are put together with a neighbour (in study.yaml, under `renamed`), and people "
    "without a group are given one, more can be shown."
)
NO_BROWSER = "No PDFs: neither Chrome, Edge nor Chromium was found. Each page prints on one sheet of A4."


def report_for_each(
    inputs: Sequence[str | Path],
    out: str | Path,
    for_each: str | Sequence[str],
    tell: Tell | None = None,
    browser: Path | None = None,
    **choices: Any,
) -> Path:
    """Write an index and a page of one A4 sheet for each group of a breakdown, as `report` documents it.

    Parameters
    ----------
    inputs, out, tell
        As in `report`.
    for_each : str or sequence of str
        The breakdown by any of its names; several names are crossed.
    browser : Path, optional
        What prints the PDFs; looked for when left out.
    **choices
        `organisation, year, by, minimum_base, minimum_count, survey` as in `report`.

    Returns
    -------
    Path
        The index. It lies in a folder of `out` that is named after the breakdown.
    """
    tell = tell or (lambda step, done, total: None)
    folder = Path(out)
    check_address_space("A report")
    with workshop(folder) as place:
        tell(STEPS[0], 0, len(STEPS))
        if (folder / LEDGER).exists():
            copyfile(folder / LEDGER, place / LEDGER)
        study = read.study(inputs, ledger=place / LEDGER, **choices)
        for caution in study.cautions:
            warn(caution, InputWarning)
        study, chosen = choose(study, for_each)
        keep_pages(study, chosen)
        tell(STEPS[1], 1, len(STEPS))
        check_released(study.results.table)
        report = "../index.html" if (folder / INDEX).is_file() else None
        material = gather(study, chosen, _words(study, chosen, report))
        remedy = OF_EARLIER if (folder / LEDGER).exists() else OF_FEW
        if said := _without_page(material, remedy):
            warn(said, InputWarning)
        name = filename(chosen.label)
        files, pages = _write(material, place / name, tell)
        program = browser or find_browser()
        why = NO_BROWSER if program is None else _print(program, place / name, pages, tell)
        _index(material, place / name, files, why, remedy)
        made = manifest(study, study.results.table, [], [])
        made["pages"] = sorted(path.name for path in (place / name).iterdir())
        text = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
        (place / name / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
        if why:
            warn(why, InputWarning)
        written = [f"{name}/{path.name}" for path in (place / name).iterdir()]
        deliver(place, folder, [LEDGER, *written], _earlier(folder / name))
        tell("Done", len(STEPS), len(STEPS))
    return folder / name / INDEX


def _words(study: Study, chosen: Chosen, report: str | None) -> Words:
    from datetime import UTC, datetime

    survey, workbook = study.edition.survey, study.workbook
    standing = study.benchmark() if workbook and workbook.period <= study.year else None
    before = None if study.why_no_change else study.two_years()[0].period
    other = standing is not None and standing.period != study.year
    return Words(
        trust=study.name,
        survey=survey.label,
        year=study.year,
        before=before,
        label=chosen.label,
        one=number_of(1, chosen.label).removeprefix("1 ").split(" of ")[0],
        each=in_sentence(chosen.label),
        scale=survey.range_words,
        inner=chosen.inner_label,
        made=f"{datetime.now(UTC):%d %B %Y}".lstrip("0"),
        version=culture_metrics.__version__,
        rule=study.rule.words,
        report=report,
        benchmark=None if standing is None else standing.group + (f", {standing.period}" if other else ""),
        colours={
            "focus": style.FOCUS, "text": style.TEXT, "quiet": style.QUIET_TEXT, "grid": style.GRID,
            "benchmark": style.DARK_PINK, "mark": style.MARK, "low": style.DIVERGING[0][1],
            "middle": style.DIVERGING[1][1], "high": style.DIVERGING[2][1],
        },
    )  # fmt: skip


def _write(material: Material, place: Path, tell: Tell) -> tuple[dict[str, str], dict[str, str]]:
    """Write the pages; return the name of the file of each group, and each file's HTML."""
    place.mkdir()
    template = environment().get_template("part.html.j2")
    css = (TEMPLATES / "parts.css").read_text(encoding="utf-8")
    files = filenames(material.groups)
    pages: dict[str, str] = {}
    for done, group in enumerate(material.groups, 1):
        said = one_page(material, group)
        html = template.render(words=material.words, css=css, lower=plural(material.words.label), **said)
        pages[files[group]] = html
        (place / f"{files[group]}.html").write_text(html, encoding="utf-8", newline="\n")
        tell(f"{STEPS[2]} ({done} of {len(material.groups)})", 2, len(STEPS))
    return files, pages


def _print(program: Path, place: Path, pages: dict[str, str], tell: Tell) -> str | None:
    """Print the pages as PDF; return why not, where the browser does not."""
    try:
        with printer(program) as made:
            for done, (name, html) in enumerate(pages.items(), 1):
                (place / f"{name}.pdf").write_bytes(made.one_sheet(html))
                tell(f"{STEPS[3]} ({done} of {len(pages)})", 3, len(STEPS))
    except ReportError as error:
        for half in place.glob("*.pdf"):
            half.unlink()
        return f"No PDFs: {error.what[0].lower()}{error.what[1:]} ({error.got}). {error.hint}"
    return None


def _without_page(material: Material, remedy: str) -> str | None:
    """Tell whoever makes the pages which parts have none; they have the files, readers have not."""
    large = material.without_page.filter("large")["group"]
    if large.is_empty():
        return None
    least = material.study.rule.minimum_base
    return (
        f"No page for {together(large)}, though {least} people or more answered there: {GIVES_AWAY}. {remedy}"
    )


def _index(
    material: Material, place: Path, files: dict[str, str], why_no_pdf: str | None, remedy: str
) -> None:
    without = material.without_page
    named = without.filter("told")["group"]
    study, label = material.study, material.words.label
    html = (
        environment()
        .get_template("index.html.j2")
        .render(
            words=material.words,
            css=(TEMPLATES / "parts.css").read_text(encoding="utf-8"),
            lower=plural(label),
            rows=[
                {
                    "group": group,
                    "file": files[group],
                    "rate": material.rates.get(group),
                    "pdf": (place / f"{files[group]}.pdf").is_file(),
                    "cells": {
                        row["measure"]: row
                        for row in material.scores.filter(group=group).iter_rows(named=True)
                    },
                }
                for group in material.groups
            ],
            columns=material.columns,
            pages=number_of(len(material.groups), label),
            named=together(named) if named.len() else "",
            several=named.len() > 1,
            gives_away=GIVES_AWAY,
            remedy=remedy if without.height else "",
            split=_split(material),
            whole=material.whole,
            whole_rate=material.rates.get("all"),
            hidden=number_of(few, label) if (few := without.height - named.len()) else None,
            one=few == 1,
            rated=bool(material.rates),
            least=study.rule.minimum_base,
            why_no_pdf=why_no_pdf,
            cautions=study.cautions,
        )
    )
    (place / INDEX).write_text(html, encoding="utf-8", newline="\n")


def _split(material: Material) -> str:
    """Say on which page the groups stand that lie in several parts, of those that are shown."""
    if material.inner is None or material.words.inner is None:
        return ""
    shown = material.inner.drop_nulls("estimate")["group"].unique()
    rows = material.lies.filter(pl.col("group").is_in(shown.implode())).drop_nulls("also")
    if rows.is_empty():
        return ""
    each = pl.format("{} ({}, also in {})", "group", "parent", "also")
    lies = "lies" if rows.height == 1 else "lie"
    return (
        f"{number_of(rows.height, material.words.inner)} {lies} in several {plural(material.words.label)} "
        f"and {'stands' if rows.height == 1 else 'stand'} whole on the page of the one with most of "
        f"{'its' if rows.height == 1 else 'their'} people: {'; '.join(rows.select(each).to_series())}."
    )


def _earlier(folder: Path) -> list[str]:
    """Return the pages of an earlier run, as its manifest lists them: none may stay beside new ones."""
    try:
        kept = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["pages"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [f"{folder.name}/{name}" for name in kept if Path(str(name)).name == name]
