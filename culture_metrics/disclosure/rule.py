"""The rule: from how few respondents on nothing is shown, and how well what is hidden is protected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culture_metrics.catalogue import least_base
from culture_metrics.errors import CultureMetricsError, SmallBaseWarning, warn

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Rule:
    """What may be shown, and how well the rest is protected.

    Parameters
    ----------
    minimum_base : int
        Smallest number of respondents that a figure may rest on.
    minimum_count : int, optional
        Smallest number of them that a percentage may count, and leave uncounted.
    protection : int
        A hidden base must stay open over at least this range (3: four possible numbers) to somebody who
        reckons; less where so small a minimum leaves less.

    Raises
    ------
    CultureMetricsError
        When one of them is not a whole number of at least 1.

    Examples
    --------
    >>> Rule(10).words
    'No figure on fewer than 10 respondents is shown, nor one from which such a figure would follow.'
    """

    minimum_base: int
    minimum_count: int | None = None
    protection: int = 3

    def __post_init__(self) -> None:
        for name in ("minimum_base", "minimum_count", "protection"):
            value = getattr(self, name)
            if (value is not None or name != "minimum_count") and (type(value) is not int or value < 1):
                raise CultureMetricsError(
                    f"{name} is not a whole number of at least 1",
                    got=repr(value),
                    hint="Leave it out: the survey's own minimum base is the default.",
                )

    @property
    def enough(self) -> int:
        """Range that a hidden base must stay open over.

        That two small groups make a large one together leaves each of them no more than 1 to the minimum less
        1.
        """
        return min(self.protection, max(1, (self.minimum_base - 1) // 2))

    @property
    def words(self) -> str:
        """The rule as a sentence for readers."""
        counted = (
            f", no percentage that counts, or leaves uncounted, fewer than {self.minimum_count} of them"
            if self.minimum_count
            else ""
        )
        return (
            f"No figure on fewer than {self.minimum_base} respondents is shown{counted}, nor one from which "
            "such a figure would follow."
        )


def warn_of_minimum(minimum_base: int, least: int) -> None:
    """Warn where more is shown than the survey's own minimum base lets out."""
    if minimum_base < least:
        warn(
            f"minimum_base={minimum_base} is below the minimum base of the survey ({least}): the table can "
            "give single people away. Keep it to yourself, and publish none of it.",
            SmallBaseWarning,
        )


def rule_of(results: pl.DataFrame, minimum_base: int | None, minimum_count: int | None = None) -> Rule:
    """Return the rule for a table: where no minimum base is given, that of its survey.

    Examples
    --------
    >>> import polars as pl
    >>> rule_of(pl.DataFrame({"survey": ["nss_england"]}), None).minimum_base
    11
    """
    if minimum_base is None:
        minimum_base = least_base(
            results["survey"].drop_nulls().unique() if "survey" in results.columns else ()
        )
    return Rule(minimum_base, minimum_count)
