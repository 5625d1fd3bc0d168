"""What may be shown of an extract by group: the one decision of `estimate`, for whatever else leaves."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.disclosure.decision import GROUP, known, people_of
from culture_metrics.errors import SmallBaseWarning
from culture_metrics.indicators.breakdowns import crossed
from culture_metrics.indicators.cell_estimates import estimates_of
from culture_metrics.indicators.decoding import DECIMALS
from culture_metrics.indicators.hidden import groups_counted, hidden_of
from culture_metrics.indicators.release import PEOPLE, Release
from culture_metrics.indicators.weights import weights_for
from data_schemas.columns import STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.cell_estimates import Found, Verdict
    from culture_metrics.indicators.weights import AnyWeights


def shown_cells(
    extract: Extract,
    by: Sequence[str | Sequence[str]] = (),
    *,
    weights: AnyWeights = None,
    minimum_base: int | None = None,
) -> pl.DataFrame:
    """Return what `estimate` of the same extract, breakdowns and weights shows and what it hides.

    Parameters
    ----------
    extract : Extract
        A clean extract, as it was given: not cut down, so that it is known again.
    by, weights, minimum_base
        As in `estimate`. How respondents were sampled does not matter here.

    Returns
    -------
    polars.DataFrame
        `organisation, breakdown, group, measure, base, status, decimals`: one row per cell and measure with
        anybody in its base in the extract; the base of what is hidden is null, and so are decimals where a
        figure stands in full.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> cells = shown_cells(synthetic.respondents(2024), ["locality_1"])
    >>> cells.filter(pl.col("base") < 11).height
    0
    """
    tables = []
    for part, (why, rounded) in _decided(extract, by, weights, minimum_base):
        base = np.where(why == 0, part.estimates.base, np.nan)
        asked = part.estimates.base.any(axis=0)
        names = np.array(part.answers.names)[asked]
        cells = np.repeat(np.arange(part.keys.height, dtype=np.uint32), len(names))
        tables.append(
            part.keys[cells].with_columns(
                pl.Series("measure", np.tile(names, part.keys.height)),
                pl.Series("base", base[:, asked].ravel(), nan_to_null=True).cast(pl.UInt32),
                pl.Series("status", STATUSES, pl.Enum(STATUSES))[why[:, asked].ravel()],
                pl.Series("decimals", _decimals(rounded, part.answers.n_scores)[:, asked].ravel()).replace(
                    -1, None
                ),
            )
        )
    return pl.concat(tables)


def _decided(
    extract: Extract,
    by: Sequence[str | Sequence[str]],
    weights: AnyWeights,
    minimum_base: int | None,
) -> list[tuple[Found, Verdict]]:
    breakdowns, weights = crossed(by), weights_for(extract, weights, minimum_base)
    with warnings.catch_warnings():
        # Whoever weights says so already.
        warnings.simplefilter("ignore", SmallBaseWarning)
        found = estimates_of(extract, breakdowns, weights, None)
    columns = {name: j for j, name in enumerate(found[0].answers.names)}
    least = extract.edition.survey.minimum_base if minimum_base is None else minimum_base
    return list(zip(found, hidden_of(found, extract, columns, least, breakdowns), strict=True))


def shown_people(
    extract: Extract, by: Sequence[str | Sequence[str]] = (), *, minimum_base: int | None = None
) -> pl.DataFrame:
    """Return how many respondents each group has, whatever they answered, where that may be shown.

    Parameters
    ----------
    extract, by, minimum_base
        As in `shown_cells`.

    Returns
    -------
    polars.DataFrame
        `organisation, breakdown, group, base, status`. Where a leading score is hidden, so is the number.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> groups = shown_people(synthetic.respondents(2024), ["locality_1"])
    >>> groups.filter(pl.col("base") < 11).height
    0
    """
    of_people = people_of(extract.frame, [*extract.edition.columns])
    tables = []
    for part, (why, _) in _decided(extract, by, None, minimum_base):
        calls = [
            call
            for call in extract.decision.calls
            if (call.about, call.people) == ((extract.survey, extract.period), of_people)
        ]
        groups = part.keys.select(GROUP)
        asked = part.estimates.base.any(axis=0)
        leading = np.isin(part.answers.names, [*extract.edition.leading]) & asked
        shown = known(calls, groups, [PEOPLE])[0][:, 0] & (why[:, leading] == 0).all(axis=1)
        reason = why[:, asked].min(axis=1, initial=len(STATUSES), where=why[:, asked] > 0)
        reason = np.where(reason < len(STATUSES), reason, STATUSES.index("suppressed"))
        tables.append(
            groups.with_columns(
                pl.Series("base", np.where(shown, part.people, np.nan), nan_to_null=True).cast(pl.UInt32),
                pl.Series("status", STATUSES, pl.Enum(STATUSES))[np.where(shown, 0, reason)],
            )
        )
    return pl.concat(tables)


def _decimals(rounded: NDArray[np.bool_], scores: int) -> NDArray[np.int64]:
    """Return how many decimals each cell × measure has, -1 for all; scores stand first."""
    percent, fine = DECIMALS
    few = np.where(np.arange(rounded.shape[1]) < scores, fine, percent)
    return np.where(rounded, few, -1)


def attack_shown(extract: Extract, minimum_base: int | None = None) -> tuple[int, int]:
    """Attack all that was shown of an extract so far, as somebody outside who knows who is in which group.

    Returns
    -------
    (int, int)
        How many sets of measures were attacked, and of how many something follows about fewer people than
        the minimum base, or that people of whom nothing is shown all answered alike, however many they are.

    Examples
    --------
    >>> from culture_metrics import estimate, synthetic
    >>> extract = synthetic.respondents(2024)
    >>> results = estimate(extract, by=["locality_1", "occupation_group"])
    >>> attack_shown(extract)[1]
    0
    """
    found = estimates_of(extract, {}, "none", None)
    columns = {name: j for j, name in enumerate(found[0].answers.names)}
    least = extract.edition.survey.minimum_base if minimum_base is None else minimum_base
    release = Release(found, extract, least, {}, columns, groups_counted(sorted(columns), extract))
    return release.attacked(found[0].keys)
