"""One call's release: which cells it may show, beside all that earlier calls showed of these people."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import CROSS
from culture_metrics.contract import ALL
from culture_metrics.disclosure.coincidence import may_coincide
from culture_metrics.disclosure.decision import GROUP, Call, Table, known, people_of
from culture_metrics.disclosure.people import People, hide_people, is_open, number_open
from culture_metrics.disclosure.release import family_names
from culture_metrics.indicators.alike import hide_alike, hide_beside_few, hide_by_name, plain_of, sides_of
from culture_metrics.indicators.atoms import (
    Atoms,
    answered,
    atoms_among,
    atoms_of,
)
from culture_metrics.indicators.decoding import decode, told_outside
from culture_metrics.indicators.everyone import COLUMN_GONE, Everyone
from culture_metrics.indicators.layers import Layer, beside, rows_in, split, stack
from culture_metrics.indicators.release_warnings import (
    warn_of_earlier,
    warn_of_lost,
    warn_of_members,
    warn_of_other_answers,
    warn_of_weights,
)
from data_schemas.columns import STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.cell_estimates import Found, Statuses

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Numbers = NDArray[np.int64]

#: Stands for the respondents of a cell, whatever they answered.
PEOPLE = ""
UNTOLD = STATUSES.index("suppressed")
#: Above so many organisations people are looked at by pairs of breakdowns, whatever they answered, where
#: there are no earlier calls.
SEVERAL = 5
NOT_LOOKED_AT = (
    "With so many respondents, what is hidden was decided from all people of a group, not from those who "
    "answered each question, and from unions of groups of two breakdowns at a time; weighted figures beside "
    "others were not looked at."
)
#: Official weights are nearly those of these groups.
OF_WEIGHTS = "occupation_group"
#: Share of all from which on the number of those who answered bounds the number who did not.
NEARLY_ALL = 0.9
#: So often combinations are drawn where there are many organisations.
FEW_DRAWS = 6


class Release:
    """What one call would show of an extract.

    Parameters
    ----------
    parts : sequence of Found
        The estimates; where they count all organisations together, of part of the extract.
    extract : Extract
        Where they come from.
    minimum_base : int
        Smallest base that may be shown.
    by : mapping
        Breakdown -> the names it crosses.
    columns : mapping
        Measure -> the column of the estimates that has its base.
    of_groups : array of bool
        By measure, in order of their names: whether it counts the people of a group.
    """

    def __init__(
        self,
        parts: Sequence[Found],
        extract: Extract,
        minimum_base: int,
        by: Mapping[str, tuple[str, ...]],
        columns: Mapping[str, int],
        of_groups: Flags,
    ) -> None:
        self.extract = parts[0].extract or extract
        self.mine: list[Table] = []
        self.parts, self.minimum, self.by = parts, minimum_base, dict(by)
        self.together = parts[0].together
        self.decision = extract.decision
        self.everyone = Everyone(self.extract, people_of(extract.frame, [*extract.edition.columns]))
        names = self.names = sorted(columns)
        self.places = np.array([columns[n] for n in names])
        percent = extract.edition.percentages
        self.percent = np.flatnonzero([n in percent for n in names])
        #: Sides that tell how many are in a group.
        self.counted = np.repeat(of_groups[self.percent], 2)
        about = pl.DataFrame({"survey": [extract.survey], "period": [extract.period]})
        heads = family_names(about, pl.Series([PEOPLE, *names]))
        # Everyone comes first.
        self.families = [PEOPLE, *sorted(set(heads) - {PEOPLE})]
        place = {name: j for j, name in enumerate(self.families)}
        self.family = np.array([place[name] for name in heads])
        #: Cells × measures, everyone first: what has few decimals, in the order of `decide`.
        self.rounded = np.zeros((0, 0), bool)

    def decide(self, groups: pl.DataFrame, base: Floats, counted: Floats, found: Statuses) -> Statuses:
        """Return what is hidden and why, by cell and measure, and keep it in mind.

        Parameters
        ----------
        groups : polars.DataFrame
            The cells: `organisation, breakdown, group`.
        base, counted : array
            Cells × measures, everyone first: respondents, and those that a percentage counts (else NaN).
        found : array
            What must be hidden by what names say, as places in `STATUSES`.
        """
        self.rounded = np.zeros(base.shape, bool)
        least = np.fmin(base, np.fmin(counted, base - counted))
        few = (base > 0) & (least < self.minimum)
        # Shown for other measures, a group tells how many are in it, and so bounds how many skipped this one.
        of_core = base[:, self.core]
        skipped = ((of_core > 0) & (of_core < self.minimum)).any(axis=1) & ~few[:, 0]
        few[:, 0] |= skipped
        small = self._by_family(few)
        by_names = self._by_family((found > 0) & (base > 0)) | small
        # Measures that all answered have the same bases: what is hidden of people is hidden of all measures.
        by_names |= by_names[:, :1]
        self._hide_enough(groups, base, by_names)
        # Else "small" for one measure and not for another tells the same.
        untold = beside(groups, skipped[:, None])[:, 0] | skipped
        if self.parts[0].extract is not None:
            hidden, untold = self._from_people(groups, small, by_names, untold)
        else:
            hidden = by_names
            hide_by_name(groups, self._sides(groups), by_names, untold, self.family[1 + self.percent])
        # Words are given only where they are those that names lead to.
        gone = hidden[:, self.family] & ~np.isnan(base)
        # What is hidden for some measures only is bounded by the bases of others: no word on which is small,
        # but where one is hidden alone, beside people in no group.
        several = beside(groups, hidden)[:, self.family]
        found = np.where(gone & several & ~hidden[:, :1], np.int8(UNTOLD), found)
        few = (found > 0) & ~(base >= self.minimum)
        why = np.where(gone & (found == 0), np.int8(UNTOLD), np.where(gone | few, found, np.int8(0)))
        return np.where((why > 0) & untold[:, None], np.int8(UNTOLD), why)

    @cached_property
    def core(self) -> Numbers:
        """Measures, after everyone, that nearly all of the extract answer."""
        answered = np.zeros(len(self.names))
        people = 0.0
        for part in self.parts:
            whole = (part.keys["breakdown"] == ALL).to_numpy()
            answered += part.estimates.base[whole][:, self.places].sum(axis=0)
            people += part.people[whole].sum()
        return 1 + np.flatnonzero(answered >= max(NEARLY_ALL * people, 1))

    def _by_family(self, flags: Flags) -> Flags:
        gone = np.zeros((len(flags), len(self.families)), bool)
        for j, family in enumerate(self.family):
            gone[:, family] |= flags[:, j]
        return gone

    def _hide_enough(self, groups: pl.DataFrame, base: Floats, hidden: Flags) -> None:
        """Hide so many groups that weights are made of that together they are not too few; changes `hidden`.

        Whose group is not known protects them in plain figures, but weighs otherwise: a weighted total would
        tell the hidden groups from them.
        """
        rows = groups.with_row_index("_row").filter(breakdown=OF_WEIGHTS)
        if not rows.height:
            return
        row, code = rows["_row"].to_numpy().astype(np.int64), rows["organisation"].rank("dense").to_numpy()
        own = base[row]
        least = np.stack(
            [own[:, self.family == f].min(axis=1, initial=np.inf) for f in range(hidden.shape[1])], 1
        )
        least = np.nan_to_num(least, posinf=0.0)
        total = np.zeros((int(code.max()) + 1, hidden.shape[1]))
        np.add.at(total, code, least * hidden[row])
        for number in np.flatnonzero(((total > 0) & (total < self.minimum)).any(axis=1)):
            place = np.flatnonzero(code == number)
            place = place[np.argsort(own[place, 0], kind="stable")]
            here, people, together = row[place], least[place], total[number]
            gone = hidden[here]
            for family in np.flatnonzero((together > 0) & (together < self.minimum)):
                for one in np.flatnonzero(~gone[:, family] & (people[:, family] > 0)):
                    gone[one, family] = True
                    together[family] += people[one, family]
                    if together[family] >= self.minimum:
                        break
            hidden[here] = gone

    def _from_people(
        self, groups: pl.DataFrame, small: Flags, by_names: Flags, untold: Flags
    ) -> tuple[Flags, Flags]:
        """Hide what the respondents make it take; says by cell whether it was decided from them."""
        untold = known(self.everyone.calls, groups, self.families)[2] | untold
        tables = self._tables()
        decoded = self._by_family(self._decode(groups, by_names))
        if (decoded & ~by_names).any():
            warn_of_weights(self._in_words(groups.filter(pl.Series((decoded & ~by_names).any(axis=1)))))
        layers, weighing = self._layers(tables, groups, small, by_names, decoded)
        if self._changed:
            warn_of_members([self._word(name) for name in self._changed])
        if self._beside_lost:
            warn_of_lost([self._word(name) for name in self._beside_lost])
        others = self._answered_otherwise()
        if others:
            altered = self._altered(tables, layers, weighing, others, groups)
            if (altered & ~by_names).any():
                warn_of_other_answers()
            small, by_names = small | altered, by_names | altered
            layers, weighing = self._layers(tables, groups, small, by_names, decoded)
        hidden = [layer.hidden.copy() for layer in layers]
        told = [np.zeros(len(layer.small), bool) for layer in layers]
        known_all = all((layer.fixed | layer.gone).all() for layer in layers if layer.mine)
        several = len(layers) > 2 or weighing or self.everyone.calls
        if several and self.minimum > 1 and not known_all:
            alone = not self.everyone.calls
            many = self.everyone.many or (alone and tables[0].groups.height > SEVERAL)
            look = self._look_by_pairs if many else self._look
            look(tables, layers, weighing, hidden, told)
        elif self.minimum > 1 and not known_all:
            shown_once = plain_of(tables, layers, hidden, told)
            hide_beside_few(shown_once, self._answered, self.minimum)
            hide_alike(shown_once, self._sides, self.family[1 + self.percent])
        # What this call shows with everyone counted once, and what weighted: hidden in either is hidden.
        each = {
            weighted: by_names | decoded if weighted else by_names.copy()
            for weighted in {layer.weight is not None for layer in layers if layer.mine}
        }
        for layer, gone, looked in zip(layers, hidden, told, strict=True):
            if layer.mine:
                row = rows_in(groups, tables[layer.table].groups)
                each[layer.weight is not None][row] = gone
                untold[row] |= looked
        for weighted, gone in each.items() if others or not known_all else ():
            self._keep(groups, gone, untold, weighted=weighted)
        result = np.logical_or.reduce([*each.values()])
        if any(layer.fixed.any() for layer in layers):
            warn_of_earlier(self._in_words(groups), result[:, 0], (small | decoded)[:, 0])
        return result, untold

    def _word(self, breakdown: str) -> str:
        """Return what the trust calls a breakdown, or each of those that it crosses; else its id."""
        words = self.extract.words
        return CROSS.join(words.get(name, name) for name in breakdown.split(CROSS))

    def _in_words(self, groups: pl.DataFrame) -> pl.DataFrame:
        called = {name: self._word(name) for name in groups["breakdown"].unique()}
        return groups.with_columns(pl.col("breakdown").replace(called))

    def _decode(self, groups: pl.DataFrame, by_names: Flags) -> Flags:
        """Say which weighted figures would tell what few answered, and keep in mind which must be rounded."""
        found, now = np.zeros((groups.height, len(self.family)), bool), self._weights()
        if self.minimum < 2 or not now:
            return found
        there = np.ones((self.extract.frame.height, 1), bool)
        if not self.everyone.many:
            there = answered(self.parts[0].answers, self.places.tolist(), [])[0]
        percent = np.isin(np.arange(len(self.family)), 1 + self.percent)[: there.shape[1]]
        own = [table for table in self.mine if table.name in now]
        row = [rows_in(groups, table.groups) for table in own]
        each = decode(
            own,
            [[now[table.name], *self._earlier_weights(table, now[table.name])] for table in own],
            there,
            [by_names[at][:, self.family[: there.shape[1]]] for at in row],
            percent,
            self.minimum,
        )
        for at, told in zip(row, each, strict=True):
            found[at] |= told.hidden
            self.rounded[at] |= told.rounded
        return found

    def _earlier_weights(self, table: Table, now: Floats) -> list[Floats]:
        """List other weights with which groups were shown before.

        Of whatever breakdown: the same people can be a directorate and its only department, or all of several
        groups.
        """
        found: list[Floats] = []
        for call, tables in self.everyone.earlier:
            for other in tables:
                if other.name not in call.weights or other.together != table.together:
                    continue
                used = self.everyone.weights_of(call, other.name)
                if used is not None and not any(
                    np.array_equal(used[: len(now)], kept) for kept in [now, *found]
                ):
                    found.append(used[: len(now)])
        return found

    def _keep(self, groups: pl.DataFrame, hidden: Flags, untold: Flags, *, weighted: bool) -> None:
        """Keep what was decided in mind."""
        call = Call(self.by, groups, tuple(self.families), hidden, untold, self.together)
        about = self.extract.survey, self.extract.period
        call = replace(call, about=about, people=self.everyone.people)
        if not self.everyone.many:
            frame = self.extract.frame
            own = tuple(replace(table, of=table.of[: frame.height]) for table in self.mine)
            call = replace(call, weights=self._weights() if weighted else {}, frame=frame, tables=own)
        self.decision.calls.append(call)

    def _altered(
        self,
        tables: Sequence[Table],
        layers: Sequence[Layer],
        weights: Sequence[Floats],
        others: Sequence[tuple[int, Flags]],
        groups: pl.DataFrame,
    ) -> Flags:
        """Say of groups × families where few gave other answers than when the measures were shown before.

        Both figures together would tell what these answered. `others` says for families who they are.
        """
        found = np.zeros((groups.height, len(self.families)), bool)
        family, who = np.array([f for f, _ in others]), np.stack([flags for _, flags in others], axis=1)
        bases = np.hstack([np.ones((len(who), 1), bool), who]), np.arange(len(family) + 1)
        for atoms in atoms_of(tables, weights, self.everyone.organisation(tables)):
            people = atoms.people([(x.table, x.weight) for x in layers], bases)
            # Nothing is hidden for the people themselves: that is decided with everything that is shown.
            people.counts[:, 0] *= self.minimum
            cells = [atoms.cells(layer.table) for layer in layers]
            mine = np.repeat([layer.mine for layer in layers], [len(own) for own in cells])
            counts = (people.groups != 0).astype(float) @ people.counts
            small = (counts > 0) & (counts < self.minimum) & mine[:, None]
            fixed = np.broadcast_to(~mine[:, None], small.shape)
            gone = hide_people(people, small, fixed, self.minimum)
            for layer, own, part in zip(layers, cells, split(gone, cells), strict=True):
                if layer.mine:
                    row = rows_in(groups, tables[layer.table].groups)[own]
                    np.logical_or.at(found, np.ix_(row, family), part[:, 1:])
        return found

    def _answered_otherwise(self) -> list[tuple[int, Flags]]:
        """List families that an earlier call showed, and who of all gave it other answers."""
        found = []
        for call in self.everyone.calls:
            shown = {name for name, gone in zip(call.families, call.hidden.T, strict=True) if not gone.all()}
            changed = self.everyone.altered(call, self.names, self.parts[0].read)
            for family in np.unique(self.family[1 + np.flatnonzero(changed.any(axis=0))]):
                if self.families[family] in shown:
                    flags = np.any(changed[:, self.family[1:] == family], axis=1)
                    found.append((int(family), self.everyone.spread(flags.astype(float)) > 0))
        return found

    def _look(
        self,
        tables: Sequence[Table],
        layers: Sequence[Layer],
        weights: Sequence[Floats],
        hidden: Sequence[Flags],
        looked: Sequence[Flags],
    ) -> None:
        """Look at the respondents of each organisation; changes `hidden` and `looked`."""
        if len(layers) == 1 and not weights:
            return  # The whole alone: no other figure is there to take from it.
        for atoms, people in self._people(tables, layers, weights):
            cells = [atoms.cells(layer.table) for layer in layers]
            small, first, fixed = (stack(layers, cells, name) for name in ("small", "hidden", "fixed"))
            if not atoms.nested and not is_open(people, first, fixed, self.minimum):
                continue
            gone = hide_people(people, small, fixed, self.minimum, beside=True)
            for place, (own, part) in enumerate(zip(cells, split(gone, cells), strict=True)):
                hidden[place][own], looked[place][own] = part, True

    def _people(
        self, tables: Sequence[Table], layers: Sequence[Layer], weights: Sequence[Floats]
    ) -> Iterator[tuple[Atoms, People]]:
        """Set what is shown beside who answered, organisation by organisation."""
        answers = self.everyone.answers(self.parts[0].answers, self.parts[0].read)
        there, sides = answered(answers, self.places.tolist(), self.places[self.percent].tolist())
        of_side = np.repeat(self.family[1 + self.percent], 2)
        there = np.hstack([there, sides[:, self.counted]])
        family = np.append(self.family, of_side[self.counted])
        kept = [table.name in self.decision.kept for table in tables]
        for atoms in atoms_of(tables, weights, self.everyone.organisation(tables)):
            people = atoms.people([(x.table, x.weight) for x in layers], (there, family), (sides, of_side))
            last = np.array([table >= 0 and kept[table] for table in people.table]) if any(kept) else None
            yield atoms, replace(people, core=self.core, last=last)

    def attacked(self, groups: pl.DataFrame) -> tuple[int, int]:
        """Attack all that was shown so far, with draws of its own.

        Returns how many sets of measures were attacked, and of how many something follows about few people.
        """
        nothing = np.zeros((groups.height, len(self.families)), bool)
        tables = self._tables()
        layers, weights = self._layers(tables, groups, nothing, nothing, nothing)
        looked, found = 0, 0
        for atoms, people in self._people(tables, layers, weights):
            shown = stack(layers, [atoms.cells(layer.table) for layer in layers], "fixed")
            looked += len(self.families)
            found += number_open(people, ~shown, self.minimum)
        return looked, found

    def _look_by_pairs(
        self,
        tables: Sequence[Table],
        layers: Sequence[Layer],
        weights: Sequence[Floats],
        hidden: Sequence[Flags],
        looked: Sequence[Flags],
    ) -> None:
        """Look at groups of people, whatever they answered; changes `hidden` and `looked`."""
        self.decision.not_looked_at = NOT_LOOKED_AT
        organisation = self.everyone.organisation(tables)
        plain = [
            i for i, layer in enumerate(layers) if layer.weight is None and not tables[layer.table].together
        ]
        codes = []
        for i in plain[1:]:
            table = tables[layers[i].table]
            local = table.groups.select(pl.int_range(pl.len()).over("organisation")).to_series().to_numpy()
            shown = np.append(np.where(hidden[i][:, 0], -1, local), -1)
            codes.append(shown[table.of])
        everyone = np.ones((len(organisation), 1), bool), np.zeros(1, np.int64)
        for number, few in may_coincide(codes, organisation, self.minimum).items():
            # The whole, and the breakdowns that may coincide.
            some = [plain[0], *(plain[1 + place] for place in sorted(few))]
            own = [tables[layers[i].table] for i in some]
            one = [layers[i] for i in some]
            atoms = atoms_among(np.flatnonzero(organisation == number), own, [])
            here = [replace(layer, table=place) for place, layer in enumerate(one)]
            cells = [atoms.cells(layer.table) for layer in here]
            people = atoms.people([(x.table, x.weight) for x in here], everyone)
            small, fixed = (stack(here, cells, name)[:, :1] for name in ("small", "fixed"))
            gone = hide_people(people, small, fixed, self.minimum, FEW_DRAWS)
            for i, layer, own_cells, part in zip(some, here, cells, split(gone, cells), strict=True):
                hidden[i][own_cells] |= part & ~layer.fixed[own_cells]
                looked[i][own_cells] = True
        shown_once = plain_of(tables, layers, hidden, looked)
        hide_alike(shown_once, self._sides, self.family[1 + self.percent])
        self._look_at_sums(tables, layers, hidden)

    @cached_property
    def _of_parts(self) -> pl.DataFrame:
        return pl.concat(part.keys for part in self.parts).select(GROUP)

    def _sides(self, groups: pl.DataFrame) -> Floats:
        each = ((p.estimates.base * (p.weighting == "none"), p.estimates.mean) for p in self.parts)
        return sides_of([*each], self.places[self.percent])[rows_in(self._of_parts, groups)]

    def _answered(self, groups: pl.DataFrame) -> Floats:
        """Count who is in groups, then who answered the measures that nearly all do."""
        places = self.places[self.core - 1]
        each = [np.column_stack([p.people, p.estimates.base[:, places]]) for p in self.parts]
        return np.asarray(np.vstack(each)[rows_in(self._of_parts, groups)])

    def _look_at_sums(
        self, tables: Sequence[Table], layers: Sequence[Layer], hidden: Sequence[Flags]
    ) -> None:
        """Hide figures of all organisations together that leave few over beside those of each."""
        for i, layer in enumerate(layers):
            whole = tables[layer.table]
            if not whole.together or layer.weight is not None:
                continue
            for j, other in enumerate(layers):
                part = tables[other.table]
                if part.together or part.name != whole.name or other.weight is not None:
                    continue
                gone = np.append(hidden[j][:, 0], True)[part.of] & (whole.of >= 0)
                left = np.bincount(whole.of[gone], minlength=whole.groups.height)
                few = (left > 0) & (left < self.minimum) & ~layer.fixed[:, 0]
                hidden[i][few] = True

    def _tables(self) -> list[Table]:
        """Return the tables of this call, then earlier ones: each organisation by itself or all together."""
        own = self.parts[0].cells if len(self.parts) == 1 else None
        found = self.everyone.tables(own, self.by, together=self.together)
        self.mine = found.copy()
        for _, earlier in self.everyone.earlier:
            found += [table for table in earlier if not any(table.same_as(other) for other in found)]
        # Organisations by themselves come first, the whole before its breakdowns.
        return sorted(found, key=lambda table: (table.together, table.name != ALL))

    def _weights(self) -> dict[str, Floats]:
        """Return the weights of respondents that this call uses, by breakdown."""
        each = ((name, part.weight) for part in self.parts for name in part.keys["breakdown"].unique())
        organisation = self.extract.frame["organisation"]
        known_outside = {
            id(p.weight): p.weight is not None
            and (p.weighting != "supplied" or told_outside(organisation, p.weight))
            for p in self.parts
        }
        return {name: weight for name, weight in each if weight is not None and known_outside[id(weight)]}

    @cached_property
    def _changed(self) -> list[str]:
        """Breakdowns of this call that put others into its groups than an earlier call did."""
        return [table.name for table in self.mine if self.everyone.other_members(table.name)]

    @cached_property
    def _beside_lost(self) -> list[str]:
        """Breakdowns that no earlier call had, where groups that one showed cannot be set beside them."""
        earlier = {ALL, *self._changed, *(name for call in self.everyone.calls for name in call.by)}
        return [t.name for t in self.mine if t.name not in earlier] if self.everyone.lost else []

    def _layers(
        self, tables: Sequence[Table], groups: pl.DataFrame, small: Flags, by_names: Flags, decoded: Flags
    ) -> tuple[list[Layer], list[Floats]]:
        """List what this call would show and what earlier ones did, and the weights that are used.

        What is `decoded` is hidden weighted alone: with everyone counted once it may have been shown before.
        """
        layers: list[Layer] = []
        weights: list[Floats] = []
        now = {name: self.everyone.spread(weight) for name, weight in self._weights().items()}
        number = groups.with_row_index("_row")
        changed = [*self._changed, *self._beside_lost]
        for place, table in enumerate(tables):
            row = table.groups.join(number, on=GROUP, how="left", maintain_order="left")["_row"]
            own = any(table is other for other in self.mine)
            mine = row.fill_null(0).to_numpy().astype(np.int64)

            def layer(calls: Sequence[Call], weight: Floats | None, *, own: bool) -> None:
                shown, gone, _ = known(calls, table.groups, self.families)  # noqa: B023
                gone |= gone[:, :1] & ~shown
                few, names = small[mine], by_names[mine]  # noqa: B023
                if weight is not None:
                    told = decoded[mine] & ~shown  # noqa: B023
                    few, names = few | told, names | told
                if table.name == OF_WEIGHTS:  # noqa: B023
                    # What names hide shares a weight: with less hidden, weighted totals tell it apart.
                    # What an earlier call showed stays known.
                    few = few | (names & ~shown)
                if not own:
                    few = names = ~shown
                elif table.name in changed:  # noqa: B023
                    few = names = np.ones_like(few)
                if weight is not None:
                    weights.append(weight)
                where = None if weight is None else len(weights) - 1
                layers.append(
                    Layer(place, where, few | gone, (names & ~shown) | gone | few, shown & ~few, gone, own)  # noqa: B023
                )

            about = [
                call
                for call, own_tables in self.everyone.earlier
                if any(table.same_as(other) for other in own_tables)
            ]
            layer([c for c in about if not c.weights], None, own=own)
            weighing = [c for c in about if table.name in c.weights]
            same = []
            for call in weighing:
                used = self.everyone.weights_of(call, table.name)
                if used is None:
                    self.decision.not_looked_at = COLUMN_GONE
                elif own and table.name in now and np.array_equal(used, now[table.name]):
                    same.append(call)
                else:
                    layer([call], used, own=False)
            if own and table.name in now:
                layer(same, now[table.name], own=True)
        return layers, weights
