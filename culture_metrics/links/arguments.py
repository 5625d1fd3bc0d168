"""What a call of `link_outcomes` may ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.errors import LinkError, kind_of
from culture_metrics.links.lavaan import refuse_wave_model
from culture_metrics.models.covariance import COVARIANCES
from culture_metrics.models.designs.registry import as_design
from culture_metrics.multiplicity import CORRECTIONS

if TYPE_CHECKING:
    from culture_metrics.models.designs.design import Design
    from culture_metrics.models.panel_arrays import PanelArrays

#: Words that `standardise` may have.
STEPS = ("sd", "sd_within_year", "iqr")


def designs_of(given: object) -> tuple[Design, ...]:
    """Return the designs that a call asks for: one or several, by name or as they are.

    Raises
    ------
    LinkError
        When one does not exist.
    """
    several = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else (given,)
    for one in several:
        refuse_wave_model(one)
    return tuple(as_design(one) for one in several)


def check_call(lag: int, standardise: object, cov: str, adjust: str, conf_level: float) -> None:
    """Refuse arguments that do not exist."""
    for argument, found, known in (("cov", cov, COVARIANCES), ("adjust", adjust, CORRECTIONS)):
        if found not in known:
            raise LinkError(f"There is no {argument} '{found}'", expected=", ".join(known))
    if not (standardise is None or isinstance(standardise, Mapping) or standardise in STEPS):
        raise LinkError(
            f"There is no standardise '{standardise}'",
            expected=f"{', '.join(STEPS)}, None, or steps by indicator",
        )
    if not 0 < conf_level < 1:
        raise LinkError(
            "conf_level is the level of the intervals",
            expected="a number between 0 and 1",
            got=str(conf_level),
        )
    if lag < 0:
        raise LinkError(
            "A lag is a number of years from 0",
            got=str(lag),
            hint="The outcome comes with or after the indicator.",
        )


def check_number(name: str, value: object) -> None:
    """Refuse what is no number where one is asked for, such as a panel."""
    if not isinstance(value, Real):
        raise LinkError(
            f"{name}= is a number",
            got=kind_of(value),
            hint="Of a panel: panel.table['organisation'].n_unique().",
        )


def check_study(
    n_organisations: object,
    years: object,
    icc: object,
    icc_indicator: object,
    level: object,
    *,
    fewest: int = 1,
) -> None:
    """Refuse a study that cannot be planned: of too few, or with shares and levels that are none."""
    check_whole("n_organisations", n_organisations, 10)
    check_whole("years", years, fewest)
    for name, share in (("icc", icc), ("icc_indicator", icc_indicator)):
        check_within(name, share, 0, 1, "0 to below 1", low_too=True)
    check_within("level", level, 0, 0.5, "above 0, below 0.5")


def check_whole(name: str, value: object, least: int) -> None:
    """Refuse what is no whole number from `least` on."""
    check_number(name, value)
    if not (float(value) == value // 1 and value >= least):  # type: ignore[operator, arg-type]
        raise _outside(name, value, f"a whole number, {least} or more")


def check_within(
    name: str,
    value: object,
    low: float,
    high: float,
    expected: str,
    *,
    low_too: bool = False,
    high_too: bool = False,
) -> None:
    """Refuse what is no number between two others; not a number is none either."""
    check_number(name, value)
    above = low <= value if low_too else low < value  # type: ignore[operator]
    below = value <= high if high_too else value < high  # type: ignore[operator]
    if not (above and below):
        raise _outside(name, value, expected)


def _outside(name: str, value: object, expected: str) -> LinkError:
    return LinkError(f"{name}= lies outside its range", expected=expected, got=f"{value:g}")


def check_minimum(name: str, value: int) -> None:
    """Refuse a least number that is none."""
    if value < 1:
        raise LinkError(f"{name}= is a number of organisations", expected="1 or more", got=str(value))


def check_lag(arrays: PanelArrays, lag: int) -> None:
    """Refuse a lag longer than the panel."""
    span = int(np.ptp(arrays.year))
    if lag > span:
        raise LinkError(
            f"A lag of {lag} is longer than the panel",
            expected=f"at most {span}",
            hint="Add years, or take lag=0.",
        )
