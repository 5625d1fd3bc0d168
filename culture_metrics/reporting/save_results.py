"""Save results to pass on: nothing in the file is small, names a hidden group or acts as a formula."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.disclosure.names import pool_names
from culture_metrics.disclosure.rule import rule_of
from culture_metrics.errors import ReportError, unknown
from culture_metrics.files.formulas import plain_names
from culture_metrics.results import check_distributions, check_released, check_results

if TYPE_CHECKING:
    from collections.abc import Callable

ENDINGS: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    # With the mark at its beginning Excel reads the "×" of crossed groups.
    ".csv": lambda table, path: table.write_csv(path, include_bom=True),
    ".parquet": lambda table, path: table.write_parquet(path),
    ".xlsx": lambda table, path: table.write_excel(path),
}


def save_results(results: pl.DataFrame, path: str | Path, minimum_base: int | None = None) -> Path:
    """Save Results or Distributions to pass on, with the names of hidden groups pooled.

    Parameters
    ----------
    results : polars.DataFrame
        As `estimate`, `distributions` or `suppress` returned it: all that leaves together in one table, since
        a group that is shown in one year keeps its name in all of them.
    path : str or Path
        Where to, by the ending: `.csv` (for Excel as well), `.xlsx` or `.parquet`.
    minimum_base : int, optional
        The minimum base that the results were made with, where it is not the survey's own.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ResultsError
        When the table keeps no contract, or shows a result on fewer respondents than official files do.
    ReportError
        When the file cannot be written.
    UnknownNameError
        When the ending is another.

    Examples
    --------
    >>> import tempfile
    >>> from culture_metrics import estimate, synthetic
    >>> results = estimate(synthetic.respondents(2024), by=["locality_1"])
    >>> save_results(results, f"{tempfile.mkdtemp()}/results.csv").name
    'results.csv'
    """
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise unknown("ending for results", path.suffix, ENDINGS, where=path.name)
    check = check_distributions if "option" in getattr(results, "columns", ()) else check_results
    check_released(check(results))
    pooled = pool_names(results, rule_of(results, minimum_base).minimum_base)
    table, _ = plain_names(pooled, ["organisation", "breakdown", "group"])
    try:
        ENDINGS[path.suffix.lower()](table, path)
    except OSError as error:
        raise ReportError(
            "The results could not be written",
            where=path.name,
            got=error.strerror or type(error).__name__,
            hint="Choose a folder that exists and that you may write to, and close the file if it is open.",
        ) from error
    return path
