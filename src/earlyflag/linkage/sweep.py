"""Households from cut-off to cut-off: only what changed since the last one is looked at again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from earlyflag.linkage.cases import CaseLinks
from earlyflag.linkage.events import Timeline
from earlyflag.linkage.grouping import Group, Presence, Unit, groups
from earlyflag.linkage.identity import Register, award, claims
from earlyflag.linkage.ledger import Ledger
from earlyflag.linkage.people import People


class Sweep:
    """Moves over the grid and writes down who belongs where from when to when.

    Parameters
    ----------
    timeline : the events
    rival_weight : see `People`
    """

    def __init__(self, timeline: Timeline, rival_weight: float) -> None:
        self._timeline = timeline
        self._units = _LiveUnits(timeline)
        self.people = People(timeline, self._units.listed_with, rival_weight)
        self.register = Register()
        self.members = Ledger()
        self.homes = Ledger()
        self.cases = CaseLinks(timeline, self.people)

    def run(
        self, cut_offs: Sequence[date] = (), advance: Callable[[int], None] | None = None
    ) -> None:
        """Go through the whole grid; `advance` is told after each of `cut_offs`."""
        wanted = set(cut_offs)
        for index, day in enumerate(self._timeline.grid):
            dirty, touched = self._units.step()
            changed = self.people.step(touched)
            self._settle(index, self._reach(dirty, touched | changed))
            self.cases.step(index, changed)
            if advance is not None and day in wanted:
                advance(1)
        self.members.finish()
        self.homes.finish()
        self.cases.finish()

    def _reach(self, dirty: set[int], touched: set[int]) -> set[int]:
        """Return the units to look at again: those that changed, and where their people also are.

        Somebody who leaves one home may now count at another that did not change itself.
        """
        records = touched | {record for unit in dirty for record in self._units.records(unit)}
        reached = set(dirty)
        for record in records:
            for own in self.people.records(self.people.person_of[record]):
                reached.update(self._units.of_record.get(own, ()))
        held = {self.register.of_unit[u] for u in reached if u in self.register.of_unit}
        for number in held:
            reached.update(self.register.households[number].units)
        return reached

    def _settle(self, index: int, dirty: set[int]) -> None:
        found: list[Group] = []
        stirred = {self.register.of_unit[u] for u in dirty if u in self.register.of_unit}
        done: set[int] = set()
        for unit in sorted(dirty):
            if unit in done or unit not in self._units.now:
                continue
            piece = self._piece(unit)
            done |= piece
            found += groups(
                [self._units.now[number] for number in sorted(piece)],
                [
                    presence._replace(person=self.people.person_of[presence.record])
                    for number in sorted(piece)
                    for presence in self._units.roster(number)
                ],
            )
        self._name(index, found, stirred)

    def _piece(self, start: int) -> set[int]:
        """Return every unit that is tied to one by a home or a person, itself included."""
        units, people, of_record = self._units, self.people, self._units.of_record
        piece, frontier, met = {start}, [start], set()
        while frontier:
            unit = frontier.pop()
            near = set(units.at_home(unit))
            for record in units.records(unit):
                person = people.person_of[record]
                if person not in met:
                    met.add(person)
                    for own in people.records(person):
                        near.update(of_record.get(own, ()))
            for other in near - piece:
                if other in units.now:
                    piece.add(other)
                    frontier.append(other)
        return piece

    def _name(self, index: int, found: list[Group], stirred: set[int]) -> None:
        register, people = self.register, self.people
        group_of_record, group_of_unit = {}, {}
        for position, group in enumerate(found):
            for presence in group.presences:
                for record in people.records(presence.person):
                    group_of_record[record] = position
            for unit in group.units:
                group_of_unit[unit] = position
        stirred |= {register.of_record[r] for r in group_of_record if r in register.of_record}
        stirred |= {register.of_unit[u] for u in group_of_unit if u in register.of_unit}
        holders = award(claims(register, stirred, group_of_record, group_of_unit))
        for number in sorted(stirred - set(holders.values())):
            self.members.replace(number, index, ())
            self.homes.replace(number, index, ())
        for position, group in enumerate(found):
            if position in holders:
                household = register.households[holders[position]]
            else:
                household = register.found(self._founder(group))
            register.settle(
                household, tuple(dict.fromkeys(p.record for p in group.presences)), group.units
            )
            self._write(household.number, index, group)

    def _founder(self, group: Group) -> str:
        if group.presences:
            return self._timeline.records[group.presences[0].record]
        return "/".join(self._timeline.units[group.units[0]])

    def _write(self, number: int, index: int, group: Group) -> None:
        rows = {(p.record, p.unit): (p.record, p.person, p.unit, p.role, p.born)
                for p in reversed(group.presences)}  # fmt: skip
        here = {p.record for p in group.presences}
        for p in group.elsewhere:
            if p.record not in here:
                rows[p.record, -1] = (p.record, p.person, -1, p.role, p.born)
        self.members.replace(number, index, rows.values())
        self.homes.replace(number, index, [(unit, self._units.uprn(unit)) for unit in group.units])


class _LiveUnits:
    """Accounts and tenancies that are open at the present cut-off, and who is on them."""

    def __init__(self, timeline: Timeline) -> None:
        spells, roster = timeline.unit_spells, timeline.roster_spells
        count = len(timeline.grid)
        self._kinds = [kind == "account" for kind, _ in timeline.units]
        self._spells = list(
            zip(*(spells.column(name) for name in ("unit", "uprn", "away", "since")), strict=True)
        )
        self._listings = [
            Presence(unit, record, record, role, since, _text(born), _text(surname))
            for unit, record, role, since, born, surname in zip(
                *(roster.column(n) for n in ("unit", "record", "role", "since", "born", "surname")),
                strict=True,
            )
        ]
        self._sources = [name.partition("/")[0] for name in timeline.records]
        self._changes = zip(spells.changes(count), roster.changes(count), strict=True)
        self._open: dict[int, set[int]] = {}
        self._listed: dict[int, set[int]] = {}
        self._first_since: dict[int, int] = {}
        self._first_listed: dict[tuple[int, int], int] = {}
        self._at: dict[int, set[int]] = {}
        self._uprn: dict[int, int] = {}
        self.now: dict[int, Unit] = {}
        self.of_record: dict[int, set[int]] = {}

    def step(self) -> tuple[set[int], set[int]]:
        """Move to the next cut-off: return units that changed and records listed or unlisted."""
        (begun, ended), (listed, unlisted) = next(self._changes)
        dirty = set()
        for spell in begun:
            dirty.add(self._spells[spell][0])
            self._open.setdefault(self._spells[spell][0], set()).add(spell)
        for spell in ended:
            dirty.add(self._spells[spell][0])
            self._open[self._spells[spell][0]].discard(spell)
        for row in listed:
            presence = self._listings[row]
            self._listed.setdefault(presence.unit, set()).add(row)
            key = (presence.unit, presence.record)
            since = self._first_listed.get(key, presence.since)
            self._first_listed[key] = min(since, presence.since)
        for row in unlisted:
            self._listed[self._listings[row].unit].discard(row)
        changed = {self._listings[row].unit for row in (*listed, *unlisted)}
        before = {unit: self.now.get(unit) for unit in dirty}
        for unit in dirty:
            self._restate(unit)
        dirty = {unit for unit in dirty if self.now.get(unit) != before[unit]} | changed
        # Homes that a unit left behind must be looked at again as well.
        left = [was.home for unit, was in before.items() if was and unit in dirty]
        for row in (*listed, *unlisted):
            self._index(self._listings[row])
        touched = {self._listings[row].record for row in (*listed, *unlisted)}
        return dirty | {unit for home in left for unit in self._at.get(home, ())}, touched

    def _index(self, presence: Presence) -> None:
        units = self.of_record.setdefault(presence.record, set())
        if any(self._listings[r].record == presence.record for r in self._listed[presence.unit]):
            units.add(presence.unit)
        else:
            units.discard(presence.unit)

    def _restate(self, unit: int) -> None:
        was = self.now.pop(unit, None)
        if was is not None:
            self._at[was.home].discard(unit)
        if not self._open[unit]:
            return
        spells = self._spells
        latest = max(self._open[unit], key=lambda spell: (spells[spell][3], spell))
        _, uprn, away, _ = spells[latest]
        first = min(spells[spell][3] for spell in self._open[unit])
        self._first_since[unit] = min(first, self._first_since.get(unit, first))
        # A unit without a UPRN is at a home that nobody else is at.
        home = uprn if uprn >= 0 else -1 - unit
        self.now[unit] = Unit(unit, self._kinds[unit], home, away, self._first_since[unit])
        self._at.setdefault(home, set()).add(unit)
        self._uprn[unit] = uprn

    def at_home(self, unit: int) -> Iterable[int]:
        """Return the live units at the same UPRN."""
        return self._at[self.now[unit].home]

    def uprn(self, unit: int) -> int:
        """Return the UPRN's number, or -1."""
        return self._uprn[unit]

    def records(self, unit: int) -> set[int]:
        """Return the records that a unit lists."""
        return {self._listings[row].record for row in self._listed.get(unit, ())}

    def roster(self, unit: int) -> list[Presence]:
        """Return one presence a record on a unit: the latest stated, since the first."""
        latest: dict[int, Presence] = {}
        for row in sorted(self._listed.get(unit, ())):
            presence = self._listings[row]
            latest[presence.record] = presence
        return [
            presence._replace(since=self._first_listed[unit, record])
            for record, presence in sorted(latest.items())
        ]

    def listed_with(self, record: int) -> set[int]:
        """Return the records that the same source lists on the same unit now."""
        source = self._sources[record]
        return {
            other
            for unit in self.of_record.get(record, ())
            if unit in self.now
            for other in self.records(unit)
            if other != record and self._sources[other] == source
        }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
