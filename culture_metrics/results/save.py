"""Save results to pass on: nothing in the file is small, names a hidden group or acts as a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.output import table_of
from culture_metrics.results.distributions import Distributions
from culture_metrics.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl

    from culture_metrics.results.tabled import Tabled


def save_results(
    results: Tabled | pl.DataFrame | Sequence[Tabled | pl.DataFrame],
    path: str | Path,
    minimum_base: int | None = None,
) -> Path:
    """Save Results or Distributions to pass on, with the names of hidden groups pooled.

    Parameters
    ----------
    results : Results, Distributions, polars.DataFrame or a list of them
        As `estimate`, `distributions` or `suppress` returned it: all that leaves together, several years in a
        list, since a group that is shown in one year keeps its name in all of them.
    path : str or Path
        Where to, by the ending: see `Results.save`.
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
    own = getattr(results, "minimum_base", None)
    table = table_of(results, "save_results")
    kind = Distributions if "option" in table.columns else Results
    return kind.of(table, minimum_base or own).save(path)
