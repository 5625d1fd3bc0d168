"""The verdicts on a change, in one place: what each is called, which way it points, and how it is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Verdict:
    """One verdict on a change.

    Attributes
    ----------
    name : str
        As tables, figures and sentences say it.
    side : int
        1 for the better, -1 for the worse, 0 for neither.
    clear : bool
        Whether it holds after all that was looked at is allowed for.
    counted : str
        How several are said; one, with `counted_one`.
    meaning : str
        What it says, in plain words.
    """

    name: str
    side: int
    clear: bool
    counted: str
    meaning: str
    counted_one: str = ""

    def of(self, number: int) -> str:
        """Say how many there are.

        Examples
        --------
        >>> KNOWN[4].of(1), KNOWN[0].of(1200)
        ('1 shows no material change', '1,200 improved')
        """
        return f"{number:,} {self.counted_one if number == 1 and self.counted_one else self.counted}"


IMPROVED, DECLINED = "improved", "declined"
LIKELY_IMPROVED, LIKELY_DECLINED = "likely improved", "likely declined"
SAME, UNCLEAR, BARRED = "no material change", "no clear change", "not comparable"
KNOWN = (
    Verdict(
        IMPROVED, 1, True, IMPROVED, "better, beyond chance after all that was compared is allowed for"
    ),
    Verdict(
        DECLINED, -1, True, DECLINED, "worse, beyond chance after all that was compared is allowed for"
    ),
    Verdict(LIKELY_IMPROVED, 1, False, LIKELY_IMPROVED, "its own 95% interval is all for the better"),
    Verdict(LIKELY_DECLINED, -1, False, LIKELY_DECLINED, "its own 95% interval is all for the worse"),
    Verdict(
        SAME, 0, True, "show no material change", "its 95% interval lies within the margin that is said",
        "shows no material change",
    ),
    Verdict(
        UNCLEAR, 0, False, "show no clear change", "its 95% interval says what the data allow",
        "shows no clear change",
    ),
    Verdict(BARRED, 0, False, "may not be compared", "the two figures do not measure the same"),
)  # fmt: skip
#: Every verdict by name, in the order to list them.
VERDICTS = {verdict.name: verdict for verdict in KNOWN}
#: Verdicts that a change is beyond chance: after all that was compared is allowed for; by itself alone.
CLEAR = [v.name for v in KNOWN if v.side and v.clear]
LIKELY = [v.name for v in KNOWN if v.side and not v.clear]


def counted(numbers: dict[str, int], names: Iterable[str] = VERDICTS) -> list[str]:
    """Say how many there are of each verdict that there is.

    Examples
    --------
    >>> counted({"declined": 2, "no clear change": 1, "improved": 0})
    ['2 declined', '1 shows no clear change']
    """
    return [VERDICTS[name].of(numbers[name]) for name in names if numbers.get(name)]
