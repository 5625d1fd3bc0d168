"""What stands out, in sentences: the findings of the other notebooks put first."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culture_metrics.reporting.show.changes import no_comparison, year_comparison
from culture_metrics.reporting.show.common import benchmark, own_results
from culture_metrics.reporting.show.figures import reach
from culture_metrics.reporting.tables import score_table

if TYPE_CHECKING:
    from culture_metrics.reporting.inputs import Inputs


@dataclass(frozen=True)
class Messages:
    """Sentences, one beneath the other."""

    said: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(self.said)

    def _repr_html_(self) -> str:
        return f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in self.said)}</ul>"


def stands_out(data: Inputs) -> Messages:
    """Say where the organisation stands in its benchmark group, and what changed in it as a whole.

    Examples
    --------
    >>> from culture_metrics import read_inputs
    >>> print(stands_out(read_inputs([])).said[0][:57])
    Invented trust 1 is above the median of Acute and Acute &
    """
    said = []
    if data.standing:
        standing = benchmark(data)
        year = "" if standing.period == data.year else f" ({standing.period})"
        said.append(f"{standing.summary().removesuffix('.')}{year}.")
    if data.extracts and not no_comparison(data):
        said.append(year_comparison(data).whole().summary())
    elif data.extracts:
        said.append(f"Own file, {data.year}: {reach(score_table(own_results(data), data.edition))}.")
    return Messages(tuple(said))
