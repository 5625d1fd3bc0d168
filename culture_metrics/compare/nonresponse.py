"""How different staff who did not answer would have to be to undo a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import CultureMetricsError
from culture_metrics.output import Output, verb
from culture_metrics.wording.changes import amount, with_unit
from culture_metrics.wording.numbers import shown

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.compare.contributions import ChangeContributions
    from culture_metrics.compare.decomposition import ChangeDecomposition

LATER, EARLIER, BOTH = "later year", "earlier year", "both years alike"
NONE, UNCLEAR = "no change", "interval holds no change"


@dataclass(frozen=True, repr=False, eq=False)
class NonresponseSensitivity(Output):
    """What staff without an answer would have to be like for a change to be none.

    Attributes
    ----------
    table : polars.DataFrame
        `differs` (whose non-respondents differ from the respondents: those of the later year, of the earlier
        year, or of both years alike), `until` (no change, or interval holds no change), `difference` (of
        non-respondents from respondents, in points or on the scale), `from_nonrespondents, to_nonrespondents`
        (their values then), `possible` (within the scale). Null where no difference does it.
    change : ChangeDecomposition or ChangeContributions
        The change it is about.
    from_eligible, to_eligible : int
        Staff who could have answered.
    """

    table: pl.DataFrame
    change: ChangeDecomposition | ChangeContributions
    from_eligible: int
    to_eligible: int

    def figure(self) -> go.Figure:
        """Draw the change among all staff by how much later non-respondents differ from respondents."""
        from culture_metrics import views

        change, whole = self.change, _whole(self.change)
        bottom, top = (end - change.to_estimate for end in change.measure.scale)
        return views.tipping(
            whole,
            absent=1 - whole["base_to"] / self.to_eligible,
            limits=(bottom, top),
            unit=change.measure.unit,
            title=f"{change.measure.label}: {self._headline()}",
            subtitle=f"{change.organisation}, {change.from_period} to {change.to_period}. {self._rates()}",
            source="Respondents of both years; eligible staff as given",
        )

    def summary(self) -> str:
        """Say in plain sentences how large a difference would undo the change."""
        change, unit = self.change, self.change.measure.unit
        whole = _whole(change)
        said = [f"{self._rates()}"]
        if float(f"{whole['estimate']:.12f}") == 0 or whole["conf_low"] <= 0 <= whole["conf_high"]:
            return " ".join(
                [*said, "The interval of the change includes none as it is: there is nothing to undo."]
            )
        tip, unclear, alike = self._row(LATER, NONE), self._row(LATER, UNCLEAR), self._row(BOTH, NONE)
        moved = f"{'rise' if whole['estimate'] > 0 else 'fall'} of {amount(whole['estimate'], unit)}"
        if tip["difference"] is None:
            return " ".join([*said, f"Nobody is missing in {change.to_period} who could undo the {moved}."])
        way = "lower" if tip["difference"] < 0 else "higher"
        said.append(
            f"To undo the {moved}, staff without an answer in {change.to_period} would have to stand "
            f"{amount(tip['difference'], unit)} {way} than those with one"
            + (
                f" ({shown(tip['to_nonrespondents'], unit)} against {shown(change.to_estimate, unit)})"
                if tip["possible"]
                else ", which the scale does not allow"
            )
            + f", had there been no difference in {change.from_period}; "
            f"from {amount(unclear['difference'], unit)} on its interval would hold no change."
        )
        if alike["difference"] is None:
            said.append(
                "A difference that is the same in both years cannot undo it: the response rates are equal."
            )
        elif not alike["possible"]:
            said.append("No difference that is the same in both years can undo it within the scale.")
        else:
            size = with_unit(alike["difference"], unit)
            said.append(f"A difference that is the same in both years would have to be {size}.")
        return " ".join(said)

    def rules(self) -> tuple[str, ...]:
        """Say what the change rests on."""
        return self.change.rules()

    def __repr__(self) -> str:
        return f"NonresponseSensitivity({self.summary()})"

    def _repr_html_(self) -> str:
        return f"<p>{self.summary()}</p>"

    def _headline(self) -> str:
        whole, tip, unit = _whole(self.change), self._row(LATER, NONE), self.change.measure.unit
        if whole["conf_low"] <= 0 <= whole["conf_high"]:
            return f"{with_unit(whole['estimate'], unit)}, a change that may be none as it is"
        if tip["difference"] is None or not tip["possible"]:
            return f"{with_unit(whole['estimate'], unit)}, which staff without an answer could not undo"
        way = "lower" if tip["difference"] < 0 else "higher"
        return f"undone if staff without an answer stood {amount(tip['difference'], unit)} {way}"

    def _rates(self) -> str:
        change, whole = self.change, _whole(self.change)
        years = (
            (change.from_period, whole["base_from"], self.from_eligible),
            (change.to_period, whole["base_to"], self.to_eligible),
        )
        rates = " and ".join(
            f"{n:,} of {all_staff:,} ({n / all_staff:.0%}) in {p}" for p, n, all_staff in years
        )
        return f"Eligible staff with an answer: {rates}."

    def _row(self, differs: str, until: str) -> dict[str, float]:
        return self.table.filter(differs=differs, until=until).row(0, named=True)


@verb
def nonresponse_sensitivity(
    change: ChangeDecomposition | ChangeContributions, from_eligible: int, to_eligible: int
) -> NonresponseSensitivity:
    """Find how different staff without an answer would have to be to undo a change.

    Parameters
    ----------
    change : ChangeDecomposition or ChangeContributions
        What `decompose_change` or `change_contributions` returned.
    from_eligible, to_eligible : int
        Staff who could have answered in the earlier and the later year: the eligible sample of the response
        rate.

    Returns
    -------
    NonresponseSensitivity
        `.table` has the differences at which the change among all eligible staff would be none, and at which
        its interval would hold none.

    Raises
    ------
    CultureMetricsError
        When fewer staff were eligible than answered, or the change has no interval.

    Notes
    -----
    Among all eligible staff the measure is that of respondents plus the share without an answer times how
    much these differ (pattern mixture with an offset; Little and Rubin 2019, chapter 15). Who returned a
    questionnaire but has no value of the measure counts as without an answer. The difference is taken as
    given, so the interval shifts and keeps its width. It is a tipping point, no estimate: nothing in the
    survey says how non-respondents differ.

    Examples
    --------
    >>> from culture_metrics import decompose_change, synthetic
    >>> old, new = (synthetic.respondents(year, respondents_per_organisation=900) for year in (2023, 2024))
    >>> found = nonresponse_sensitivity(decompose_change(old, new), 2000, 2000)
    >>> found.table.columns
    ['differs', 'until', 'difference', 'from_nonrespondents', 'to_nonrespondents', 'possible']
    """
    whole = _whole(change)
    if whole["conf_low"] is None:
        raise CultureMetricsError(
            "The change has no interval to hold non-response against",
            where=change.organisation,
            hint="Use extracts, or results with standard errors.",
        )
    for period, base, eligible in (
        (change.from_period, whole["base_from"], from_eligible),
        (change.to_period, whole["base_to"], to_eligible),
    ):
        if eligible < base:
            raise CultureMetricsError(
                f"Fewer staff were eligible in {period} than answered",
                where=change.organisation,
                expected=f"at least {base:,}",
                got=f"{eligible:,}",
                hint="Give the eligible sample behind the response rate, not the respondents.",
            )
    absent = 1 - whole["base_from"] / from_eligible, 1 - whole["base_to"] / to_eligible
    low, high = whole["conf_low"], whole["conf_high"]
    nearest = 0.0 if low <= 0 <= high else min(low, high, key=abs)
    cases = [
        (differs, until, _ratio(gap, -weight), at_first, at_last)
        for differs, weight, at_first, at_last in (
            (LATER, absent[1], 0, 1),
            (EARLIER, -absent[0], 1, 0),
            (BOTH, absent[1] - absent[0], 1, 1),
        )
        for until, gap in ((NONE, whole["estimate"]), (UNCLEAR, nearest))
    ]
    bottom, top = change.measure.scale
    values = [pl.col("from_nonrespondents"), pl.col("to_nonrespondents")]
    table = (
        pl.DataFrame(cases, schema=["differs", "until", "difference", "_first", "_last"], orient="row")
        .with_columns(pl.col("difference").cast(pl.Float64))
        .with_columns(
            from_nonrespondents=change.from_estimate + pl.col("difference") * pl.col("_first"),
            to_nonrespondents=change.to_estimate + pl.col("difference") * pl.col("_last"),
        )
        .with_columns(possible=pl.all_horizontal(v.is_between(bottom, top) for v in values))
        .drop("_first", "_last")
    )
    return NonresponseSensitivity(table, change, from_eligible, to_eligible)


def _ratio(gap: float, weight: float) -> float | None:
    """Return the difference that closes a gap; none where nobody is absent, or as many in both years."""
    return None if abs(weight) < 1e-12 else gap / weight + 0.0


def _whole(change: ChangeDecomposition | ChangeContributions) -> dict[str, float]:
    """Return the numbers of the change itself: the first row of either table."""
    return change.table.row(0, named=True)
