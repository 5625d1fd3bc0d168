"""How official results are weighted: groups of answers that weigh as one, and where they are kept apart."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class WeightingGroup:
    """Answers that weigh as one.

    `codes` are those of each edition from which on they hold, `apart_in` the kinds of organisation that keep
    the group apart. `known` says how that is known: proved, stated, second_hand, inferred or open.
    """

    id: str
    label: str
    codes: Mapping[str, tuple[int, ...]]
    apart_in: tuple[str, ...]
    known: str

    def codes_in(self, period: str) -> tuple[int, ...]:
        """Return the codes of an edition: the newest up to its period."""
        return self.codes[max(p for p in self.codes if p <= period)]


@dataclass(frozen=True)
class OpenRule:
    """What is not known of the weights, and what it touches: kinds, benchmark groups, editions up to one."""

    what: str
    kinds: tuple[str, ...]
    benchmark_groups: tuple[str, ...]
    until: str | None

    def touches(self, kind: str, benchmark_group: str, period: str) -> bool:
        """Say whether it touches the weights of a benchmark group in an edition."""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.benchmark_groups or benchmark_group in self.benchmark_groups)
            and (self.until is None or period <= self.until)
        )


@dataclass(frozen=True)
class Weighting:
    """The official weighting of a survey.

    Attributes
    ----------
    question : str
        The question whose answers are put into groups.
    cap : float
        Largest weight.
    rest : str
        The group of all that is not kept apart, and of people who gave no answer.
    groups : mapping
        By id.
    kinds : mapping
        Kind of organisation -> the benchmark groups that are of it, as official files print them.
    open : tuple of OpenRule
        What is not known.

    Examples
    --------
    >>> from culture_metrics.catalogue import catalogue
    >>> rules = catalogue().weighting
    >>> len(rules.groups), rules.cap, rules.kind("Ambulance Trusts")
    (13, 5.0, 'ambulance')
    >>> rules.apart("community")
    ('nursing', 'allied_health', 'admin_and_clerical', 'central_functions', 'general_management', 'other')
    """

    question: str
    cap: float
    rest: str
    groups: Mapping[str, WeightingGroup]
    kinds: Mapping[str, tuple[str, ...]]
    open: tuple[OpenRule, ...]

    def kind(self, benchmark_group: str) -> str | None:
        """Return the kind of organisation that a benchmark group is of; None where it is not known."""
        return next((kind for kind, named in self.kinds.items() if benchmark_group in named), None)

    def apart(self, kind: str) -> tuple[str, ...]:
        """Return the groups that a kind of organisation keeps apart, and what takes all others."""
        return tuple(k for k, g in self.groups.items() if kind in g.apart_in or k == self.rest)

    def group_of(self, period: str) -> dict[int, str]:
        """Return the group of each code in an edition, before groups are put together."""
        return {code: k for k, g in self.groups.items() for code in g.codes_in(period)}

    def open_about(self, benchmark_group: str, period: str) -> tuple[str, ...]:
        """Return what is not known of the weights of a benchmark group in an edition."""
        kind = self.kind(benchmark_group)
        found = (one for one in self.open if kind and one.touches(kind, benchmark_group, period))
        return tuple(one.what for one in found)


def weighting_of(spec: Mapping[str, Any]) -> Weighting:
    """Make the weighting that weighting.yaml describes."""
    groups = {
        name: WeightingGroup(
            id=name,
            label=group["label"],
            codes=MappingProxyType({period: tuple(codes) for period, codes in group["codes"].items()}),
            apart_in=tuple(group["apart_in"]),
            known=group["known"],
        )
        for name, group in spec["groups"].items()
    }
    rules = (
        OpenRule(
            one["what"], tuple(one.get("kinds", ())), tuple(one.get("benchmark_groups", ())), one.get("until")
        )
        for one in spec.get("open") or ()
    )
    return Weighting(
        question=spec["question"],
        cap=float(spec["cap"]),
        rest=spec["rest"],
        groups=MappingProxyType(groups),
        kinds=MappingProxyType({kind: tuple(named) for kind, named in spec["kinds"].items()}),
        open=tuple(rules),
    )
