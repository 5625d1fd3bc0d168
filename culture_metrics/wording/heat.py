"""How the cells of a heat table are read: one wording for levels, one for changes."""

from __future__ import annotations

from dataclasses import dataclass

from culture_metrics.wording.numbers import DECIMALS, MINUS, reach


@dataclass(frozen=True)
class Reading:
    """What the numbers and colours of a heat table say.

    Attributes
    ----------
    above, below : str
        What the triangles say, after a number: up and blue, down and orange.
    best, worst : str
        What the ends of a group's row are called in its summary.
    numbers : str
        What the numbers are.
    chance : str
        What the colours allow for.
    key : str
        What the bar of the colours shows.
    sheet, word_above, word_below : str
        Name of the sheet of a workbook, and the words beside its coloured numbers.
    signed : bool
        Whether numbers bear a sign.
    held : str
        What is added where groups of which nothing is shown are counted.
    """

    above: str
    below: str
    best: str
    worst: str
    numbers: str
    chance: str
    key: str
    sheet: str
    word_above: str
    word_below: str
    signed: bool = False
    held: str = ""

    def notes(self, order: str, above: str, below: str) -> str:
        """Say what stands beneath the table; `above` and `below` are the signs."""
        return (
            f"{self.numbers}, {order}. {above} {self.above}, {below} {self.below}, {self.chance}; "
            "neighbours in the order may differ by chance alone."
        )

    def steps(self, limit: float) -> list[tuple[float, str]]:
        """Return the bar of the colours: differences and what stands on each."""
        if self.signed:
            return [(-limit, self.word_below), (limit, self.word_above)]
        sizes = [(-1, MINUS), (-0.5, MINUS), (0, ""), (0.5, "+"), (1, "+")]
        return [(share * limit, f"{sign}{abs(share) * limit:.3g}") for share, sign in sizes]

    def form(self, unit: str, side: float | None = None) -> str:
        """Return how a workbook shows a number: with the word of its side (1, -1), which is no part of it.

        Examples
        --------
        >>> levels("score", None).form("score", 1), changes("score", None, "2023 to 2024").form("score")
        ('0.00" above"', '+0.00;-0.00;0.00')
        """
        plain = "0." + "0" * DECIMALS[unit]
        word = "" if side is None else f'" {self.word_above if side > 0 else self.word_below}"'
        parts = [f"+{plain}", f"-{plain}", plain] if self.signed else [plain]
        return ";".join(part + word for part in parts)


def levels(unit: str, scale: tuple[float, float] | None) -> Reading:
    """Return how groups are read beside the whole organisation."""
    return Reading(
        above="clearly above the whole organisation",
        below="clearly below it",
        best="Best against the whole",
        worst="Worst",
        numbers="Percentages" if unit == "percent" else f"Scores{reach(scale)}",
        chance="beyond chance with all cells of the map allowed for",
        key=f"Difference from the whole organisation{' points' if unit == 'percent' else ''}",
        sheet="Heat map",
        word_above="above",
        word_below="below",
    )


def changes(unit: str, scale: tuple[float, float] | None, years: str) -> Reading:
    """Return how changes of groups are read."""
    of = "percentage points" if unit == "percent" else f"score{reach(scale, ' ({})')}"
    return Reading(
        above="improved",
        below="declined",
        best="Most for the better",
        worst="Most for the worse",
        numbers=f"Change in {of}, {years}",
        chance="beyond chance after all that was compared is allowed for, = no material change, in italics "
        "beyond chance by itself alone, others no clear change; base: the later year",
        key="Colours",
        sheet="Changes",
        word_above="improved",
        word_below="declined",
        signed=True,
        held=", in one of the years",
    )
