"""Read published results, whatever layout they come in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from culture_metrics.errors import FileFormatError
from culture_metrics.published.benchmark_book import find_benchmark, read_benchmark
from culture_metrics.published.contractor import find_contractor, is_contractor_text, read_contractor
from culture_metrics.published.detailed import read_detailed
from culture_metrics.published.layout import find_table
from culture_metrics.published.pulse import find_pulse, read_pulse
from culture_metrics.published.workbook import load_heads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.published.layout import Row
    from culture_metrics.published.published import Published


def read_published(path: str | Path, organisation: str | None = None) -> Published:
    """Read an official "detailed spreadsheets" workbook of the NHS Staff Survey.

    Layout (results of organisations, or national results by breakdown) and year are told from the file; sheet
    names, header rows and numbers of columns may differ.

    Parameters
    ----------
    path : str or Path
        The workbook (.xlsx) as it was downloaded.

    Returns
    -------
    Published
        `results` has the published scores (0 to 10) and the headline percentages (0 to 100): the positive
        options as a share of all options but those that the headline leaves out. `distributions` has every
        option as published. `weighting` is that of the row (`occupation_group`, `none`,
        `occupation_group_and_size`, `size`), and `none` for questions that are never weighted. In a national
        file the organisation is `all`. `provenance` has `file`, `sha256`, `layout`, `title`, `sheets`,
        `suppressed_cells` (cells with "-", percentages, scores and bases), `missing` (official codes of the
        edition that the file lacks), `bases` (how headline bases are worked out), `unknown_weightings` and,
        in national files, `coverage` (which organisations each breakdown covers) and `unknown_breakdowns`.

    Raises
    ------
    FileFormatError
        When the file is no such workbook, belongs to another survey or year, or its columns or cells cannot
        be understood. All such problems are listed together, by sheet and column.

    Notes
    -----
    A "-" in a result cell is a suppressed result (status `suppressed_small_base`), a blank cell is
    `not_asked`; in a breakdown by the question itself both are `not_asked`. A headline with fewer than 10
    answers left in its base is suppressed too, by the rule of the file itself. The base of a headline that
    leaves options out is the published base times the share of the other options, rounded: exact in
    unweighted rows, approximate in weighted ones. Source: Notes of the official 2024 detailed spreadsheets.

    Examples
    --------
    >>> read_published("results.pdf")
    Traceback (most recent call last):
        ...
    culture_metrics.errors.FileFormatError: There is no such file
      where: results.pdf
      what to do: Check the folder and the spelling of the name.
    """
    path = Path(path)
    if is_contractor_text(path):
        return read_contractor(path, None, organisation)
    heads = load_heads(path)
    layout = _layout(heads)
    if layout == "contractor":
        return read_contractor(path, heads, organisation)
    if layout in _READERS:
        return _READERS[layout](path, heads)
    return read_detailed(path, heads)


def is_published(path: str | Path) -> bool:
    """Say whether a file is an official results workbook, by a look at the first rows of its sheets.

    A large workbook costs little: the rows below are not unpacked. CSV, Parquet and other Excel files are no
    official results workbooks; neither is a file that does not exist.

    Examples
    --------
    >>> is_published("RXX_2024.csv")
    False
    """
    if is_contractor_text(Path(path)):
        return True
    try:
        heads = load_heads(Path(path))
    except FileFormatError:
        return False
    return _layout(heads) is not None


def _layout(heads: Mapping[str, Sequence[Row]]) -> str | None:
    """Tell the layout from the first rows of the sheets."""
    if any(find_table(name, rows, []) for name, rows in heads.items()):
        return "detailed"
    if find_pulse(heads):
        return "pulse"
    if find_benchmark(heads):
        return "benchmark"
    return "contractor" if find_contractor(heads) else None


_READERS = {"pulse": read_pulse, "benchmark": read_benchmark}
