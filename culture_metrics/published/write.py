"""Write a workbook in the layouts of the official results, for demonstrations and tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import polars as pl

from culture_metrics.contract import check_distributions, check_released, check_results
from culture_metrics.errors import ReportError, ResultsError, unknown
from culture_metrics.published.detailed import SURVEY
from culture_metrics.published.rows import WHO
from culture_metrics.published.write_rows import lay_out_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxwriter.workbook import Workbook

    from culture_metrics.catalogue import Edition
    from culture_metrics.published.published import Published

TITLE_ROW, SECTION_ROW, NOTE_ROW, HEADER_ROW, FIRST_ROW = 0, 1, 2, 4, 5
BASE = "Base (number of responses)"
LAYOUTS = {"organisation": "Organisational results", "national": "National results"}
ELEMENTS, THEMES = "PEOPLE PROMISE ELEMENTS", "THEMES"


class _Block(NamedTuple):
    """Columns under one title: their headers, and the keys of their figures (`_by_column`)."""

    title: str
    headers: tuple[str, ...]
    keys: tuple[str, ...]


def write_published(
    path: str | Path, published: Published, layout: Literal["organisation", "national"] = "organisation"
) -> None:
    """Write results as a workbook in an official layout, so that `read_published` reads them back.

    Parameters
    ----------
    path : str or Path
        Where to write it (.xlsx).
    published : Published
        Its scores, distributions and organisations are written. Headline percentages are not: they follow
        from the distributions when the workbook is read.
    layout : {"organisation", "national"}
        `organisation` takes results of whole organisations, `national` results of all organisations together
        (organisation `all`) as a whole and by breakdown.

    Raises
    ------
    ResultsError
        When results do not fit the layout: a breakdown in the organisation layout, a single organisation in
        the national one, a weighting that official files do not have, an organisation without a name.
    ReportError
        When the file cannot be written.

    Notes
    -----
    Titles carry the official codes and the package's own short labels. Suppressed results are written as "-",
    results that were not asked as blank cells; text that looks like a formula stays text.

    Examples
    --------
    >>> import tempfile
    >>> from culture_metrics.published import Published, read_published
    >>> from culture_metrics.contract import as_distributions, as_organisations, as_results
    >>> from culture_metrics.results import Distributions, Results
    >>> from data_schemas.columns import DISTRIBUTIONS
    >>> who = {"survey": "nss_england", "period": "2024", "organisation": "RXX"}
    >>> score = {**who, "breakdown": "all", "group": "all", "measure": "morale", "unit": "score",
    ...          "estimate": 6.1, "base": 900, "weighting": "none", "status": "reported",
    ...          "source": "published"}
    >>> published = Published(
    ...     "nss_england", "2024", Results(as_results(pl.DataFrame([score]))),
    ...     Distributions(as_distributions(pl.DataFrame(schema=DISTRIBUTIONS))),
    ...     as_organisations(pl.DataFrame([who])),
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_published(Path(folder, "results.xlsx"), published)
    ...     read_published(Path(folder, "results.xlsx")).table["estimate"].item()
    6.1
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    if layout not in LAYOUTS:
        raise unknown("layout", layout, LAYOUTS)
    if published.survey != SURVEY:
        raise ResultsError(
            "Only results of the NHS Staff Survey have an official layout", got=published.survey
        )
    check_released(published.results.table, published.distributions.table)
    cells = _cells(published)
    rows = lay_out_rows(cells, published, layout)
    columns = _by_column(cells, rows)
    book = Workbook(Path(path), {"strings_to_formulas": False, "strings_to_urls": False})
    notes = book.add_worksheet("Notes")
    notes.write_string(0, 0, f"NHS Staff Survey {published.period} - Detailed Spreadsheets")
    notes.write_string(2, 0, LAYOUTS[layout])
    for name, blocks in _sheets(published.edition, cells).items():
        _write_sheet(book, name, blocks, rows, columns, published.period)
    try:
        book.close()
    except FileCreateError as error:
        raise ReportError(
            "The workbook cannot be written",
            where=Path(path).name,
            hint="Close it in Excel if it is open there, and check that the folder exists.",
        ) from error


def _cells(published: Published) -> pl.DataFrame:
    """Put options and scores under each other: `name` is the question or score, `option` null for a score."""
    answers = check_distributions(published.distributions.table)
    scores = check_results(published.results.table).filter(
        pl.col("measure").is_in(list(published.edition.scores))
    )
    about = [*WHO, "weighting", "status", "base"]
    return pl.concat(
        [
            answers.select(*about, "option", name="question", value="percent"),
            scores.select(*about, pl.lit(None, pl.Int16).alias("option"), name="measure", value="estimate"),
        ]
    )


def _by_column(cells: pl.DataFrame, rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Spread values, bases and hidden cells: a row per row of a sheet, a column per question and option."""
    keyed = (
        rows.select(WHO)
        .with_row_index("row")
        .join(
            cells.select(
                *WHO,
                "value",
                "base",
                pl.format("{} {}", "name", pl.col("option").cast(pl.String).fill_null("score")).alias("key"),
                hidden=pl.col("status").cast(pl.String).str.starts_with("suppressed"),
            ),
            on=WHO,
        )
    )
    return {
        name: keyed.pivot("key", index="row", values=name).sort("row") for name in ("value", "base", "hidden")
    }


def _write_sheet(
    book: Workbook,
    name: str,
    blocks: Sequence[_Block],
    rows: pl.DataFrame,
    columns: dict[str, pl.DataFrame],
    period: str,
) -> None:
    sheet = book.add_worksheet(name)
    sheet.write_string(TITLE_ROW, 0, f"NHS Staff Survey {period} - Results")
    sheet.write_string(SECTION_ROW, 0, name)
    sheet.write_string(NOTE_ROW, 0, "Results of too few responses are shown as '-'.")
    column = 0
    for header in [c for c in rows.columns if c not in WHO]:
        sheet.write_string(HEADER_ROW, column, header)
        sheet.write_column(FIRST_ROW, column, rows[header])
        column += 1
    for block in blocks:
        sheet.merge_range(TITLE_ROW, column, TITLE_ROW, column + len(block.headers), "")
        sheet.write_string(TITLE_ROW, column, block.title)
        sheet.write_row(HEADER_ROW, column, [*block.headers, BASE])
        for what, key in [*(("value", key) for key in block.keys), ("base", block.keys[0])]:
            sheet.write_column(FIRST_ROW, column, columns[what][key])
            for row in columns["hidden"][key].fill_null(value=False).arg_true():
                sheet.write_string(FIRST_ROW + row, column, "-")
            column += 1


def _sheets(edition: Edition, cells: pl.DataFrame) -> dict[str, list[_Block]]:
    """Return the blocks of each sheet: one per section of the questionnaire, then elements and themes."""
    there = dict(cells.group_by("name").agg(pl.col("option").unique()).rows())
    sheets: dict[str, list[_Block]] = {}
    for question in edition.questions.values():
        options = {o: t for o, t in question.scale.labels.items() if o in there.get(question.id, ())}
        blocks = sheets.setdefault(question.section.replace("_", " ").upper(), [])
        code, name = question.code.capitalize(), question.id
        if question.kind == "multi":
            blocks += [_Block(f"{code}_{o} - {t}", (f"% {t}",), (f"{name} {o}",)) for o, t in options.items()]
        elif options:
            if lacking := [t for o, t in question.scale.options.items() if o not in options]:
                raise ResultsError(
                    f"The distributions of {name} lack response options", got=", ".join(lacking)
                )
            headers = tuple(f"% {label}" for label in options.values())
            blocks.append(
                _Block(f"{code} - {question.label}", headers, tuple(f"{name} {o}" for o in options))
            )
    for measure in edition.scores.values():
        if measure.id in there:
            code = measure.label if measure.level == "theme" else measure.code
            sheet = ELEMENTS if measure.code.startswith("PP") else THEMES
            block = _Block(f"{code} - {measure.label}", (f"{code} - score",), (f"{measure.id} score",))
            sheets.setdefault(sheet, []).append(block)
    return {name: blocks for name, blocks in sheets.items() if blocks}
