"""The rule: from how few respondents on nothing is shown, and how well what is hidden is protected."""

from __future__ import annotations

from dataclasses import dataclass

from culture_metrics.errors import CultureMetricsError

#: A hidden base must be open over at least this range (four possible numbers) to somebody who reckons.
PROTECTION = 3


@dataclass(frozen=True)
class Rule:
    """Smallest base, and smallest number counted or not counted, that may be shown.

    Raises
    ------
    CultureMetricsError
        When a minimum is not a whole number of at least 1.

    Examples
    --------
    >>> Rule(10).words
    'No figure on fewer than 10 respondents is shown, nor one from which such a figure would follow.'
    """

    minimum_base: int = 11
    minimum_count: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("minimum_base", self.minimum_base), ("minimum_count", self.minimum_count)):
            if (value is not None or name == "minimum_base") and (type(value) is not int or value < 1):
                raise CultureMetricsError(
                    f"{name} is not a whole number of at least 1",
                    got=repr(value),
                    hint="11 is the default, 10 the convention of the official files.",
                )

    @property
    def protection(self) -> int:
        """Range that a hidden base must be open over; less where so small a minimum leaves less."""
        return min(PROTECTION, self.minimum_base - 1)

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
