"""The population values behind synthetic respondents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import DEFAULT, catalogue
from culture_metrics.contract import ALL
from culture_metrics.errors import unknown
from culture_metrics.synthetic import places
from culture_metrics.synthetic.cells import Cells
from culture_metrics.synthetic.national import SHAPE
from culture_metrics.synthetic.organisation import CHANGED_FROM, CHANGED_TO, Organisation, organisation
from culture_metrics.synthetic.population import population
from culture_metrics.synthetic.sample import check_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.synthetic.national import Floats

#: Breakdowns with known values and the axis of the cells that makes them.
AXES = {"occupation_group": 0, "ethnicity_summary": 1, "long_term_condition": 2, "locality_1": 3}


def truth(
    year: int | str = 2024,
    organisations: int = 1,
    seed: int = 1,
    by: Sequence[str] = ("occupation_group",),
    survey: str = DEFAULT,
) -> pl.DataFrame:
    """Compute the population values behind `respondents` with the same year, organisations and seed.

    Parameters
    ----------
    year, organisations, seed, survey
        As in `respondents`; the values do not depend on the number of respondents.
    by : sequence of str
        Any of `occupation_group`, `ethnicity_summary`, `long_term_condition`, `locality_1`.

    Returns
    -------
    polars.DataFrame
        Columns `organisation, breakdown, group, measure, unit, value`: every score (0 to 10) and headline
        percentage (0 to 100) of the edition, for each whole organisation (`all`, `all`) and each group.

    Raises
    ------
    CultureMetricsError
        When a number is not positive, or the edition or breakdown is unknown.

    Notes
    -----
    Within a cell an answer is an ordered probit, so percentages are sums of normal probabilities. No answer
    and answers off the scale are left to chance within the cell, so the mean of the answered questions of a
    score follows from how likely each number of answers is. Questions asked after an incident are averaged
    over the factor behind incidents (Gauss-Hermite, 40 nodes). A value is what an unweighted estimate of the
    respondents tends to. All are exact to rounding but `safe_and_healthy`, which takes its parts as missing
    independently of each other within a cell (error below 0.001).

    Examples
    --------
    >>> values = truth(2024, by=["locality_1"]).filter(measure="staff_engagement")
    >>> values["group"].head(3).to_list(), round(values["value"][0], 2)
    (['all', 'Urgent Care', 'Planned Care'], 7.03)
    """
    check_numbers(organisations=organisations, seed=seed)
    edition = catalogue(survey).edition(year)
    people = population(survey, edition.period)
    for name in by:
        if name not in AXES or name not in edition.breakdowns:
            raise unknown("breakdown", name, [n for n in AXES if n in edition.breakdowns])
    units = {name: measure.unit for name, measure in edition.measures.items()}
    tables = []
    for index in range(1, organisations + 1):
        own = organisation(seed, index)
        cells, weights = Cells(people, own, str(year)), _group_weights(own, by)
        expected = [np.broadcast_arrays(*cells.measure(m), own.cells)[:2] for m in edition.measures.values()]
        there, mean = (np.stack(part).reshape(len(units), -1) for part in zip(*expected, strict=True))
        weight = np.stack([w.ravel() for w in weights.values()], axis=1)
        base = there @ weight
        value = np.divide((there * mean) @ weight, base, out=np.full_like(base, np.nan), where=base > 0)
        for (breakdown, group), column in zip(weights, value.T, strict=True):
            tables.append(
                pl.DataFrame({"measure": list(units), "unit": list(units.values()), "value": column}).select(
                    pl.lit(own.code).alias("organisation"),
                    pl.lit(breakdown).alias("breakdown"),
                    pl.lit(group).alias("group"),
                    pl.all(),
                )
            )
    return pl.concat(tables).with_columns(pl.col("value").fill_nan(None))


def planted(
    from_period: int | str = CHANGED_FROM,
    to_period: int | str = CHANGED_TO,
    organisations: int = 1,
    seed: int = 1,
    survey: str = DEFAULT,
) -> pl.DataFrame:
    """List the true change of every measure between two years of the same organisations.

    Only `recommend_place_to_work` really changes, by 4.0 points in every organisation between 2023 and 2024,
    and with it the scores that hold this question (`advocacy`, `compassionate_culture` and what is built of
    them). Everything else, `work_pressure` for one, does not change. In 2025 the catalogue scores two
    sub-scores without a question and has other grounds of discrimination; the answers stay as they were.

    Returns
    -------
    polars.DataFrame
        Columns `organisation, measure, unit, change`, the change in points or on the 0 to 10 scale.

    Examples
    --------
    >>> planted().filter(pl.col("change").abs() > 0.0001).height
    5
    """
    old = truth(from_period, organisations, seed, (), survey)
    new = truth(to_period, organisations, seed, (), survey)
    key = ["organisation", "measure", "unit"]
    return new.join(old, on=key, suffix="_before", maintain_order="left").select(
        *key, change=pl.col("value") - pl.col("value_before")
    )


def _group_weights(own: Organisation, by: Sequence[str]) -> dict[tuple[str, str], Floats]:
    """Share of each cell in the organisation and in each group, by breakdown and group."""
    groups = catalogue().edition(2024).breakdowns
    names = {
        "occupation_group": tuple(groups["occupation_group"].groups),
        "ethnicity_summary": tuple(groups["ethnicity_summary"].groups),
        "long_term_condition": tuple(groups["long_term_condition"].groups)[::-1],
        "locality_1": tuple(places.DIRECTORATES),
    }
    weights = {(ALL, ALL): own.cells}
    for breakdown in by:
        axis = list(AXES).index(breakdown)
        for place, name in enumerate(names[breakdown]):
            chosen = np.arange(SHAPE[axis]) == place
            weights[breakdown, name] = own.cells * chosen.reshape(-1, *(1,) * (3 - axis))
        if breakdown == "locality_1":
            weights[breakdown, places.SMALL_DIRECTORATE] = own.cells
    return weights
