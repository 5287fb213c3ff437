"""Which records are one person at each cut-off: constrained clustering of the links known by then.

Links are taken strongest first. Two groups of records join unless something says that they are
two people: a compared pair whose forename or date of birth plainly differs, or two references
that one source listed on one account at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from earlyflag.linkage.events import Timed, Timeline


class People:
    """The person of every record, moved from cut-off to cut-off.

    A person is named by the record that was known first, so that a later record changes no
    person's name but its own.

    Parameters
    ----------
    timeline : the events
    listed_with : record -> records that its source lists beside it now
    rival_weight : links to two rivals that are closer than this are both left out
    """

    def __init__(
        self,
        timeline: Timeline,
        listed_with: Callable[[int], Iterable[int]],
        rival_weight: float,
    ) -> None:
        count = len(timeline.records)
        self.person_of = list(range(count))
        self.records_of: dict[int, tuple[int, ...]] = {}
        self._seen = timeline.seen
        self._listed_with = listed_with
        self._rival_weight = rival_weight
        self._edges = _Pairs(timeline.edges)
        self._against = _Pairs(timeline.against)
        self._changes = zip(
            timeline.edges.changes(len(timeline.grid)),
            timeline.against.changes(len(timeline.grid)),
            strict=True,
        )
        self._never_one: dict[int, set[int]] = {}

    def records(self, person: int) -> tuple[int, ...]:
        """Return the records of a person, by number."""
        return self.records_of.get(person, (person,))

    def step(self, touched: Iterable[int]) -> set[int]:
        """Move to the next cut-off and return the records whose person changed.

        Parameters
        ----------
        touched : records that an account or tenancy began or ceased to list at this cut-off
        """
        edge_changes, against_changes = next(self._changes)
        dirty = self._edges.apply(*edge_changes)
        dirty |= {r for r in self._against.apply(*against_changes) if r in self._edges.near}
        dirty.update(record for record in touched if record in self._edges.near)
        dirty.update(
            record for record in list(dirty) for record in self.records(self.person_of[record])
        )
        changed: set[int] = set()
        done: set[int] = set()
        for record in sorted(dirty):
            if record not in done:
                component = self._component(record)
                done |= component
                changed |= self._recluster(component)
        return changed

    def _component(self, start: int) -> set[int]:
        found, frontier = {start}, [start]
        while frontier:
            for other in self._edges.near.get(frontier.pop(), ()):
                if other not in found:
                    found.add(other)
                    frontier.append(other)
        return found

    def _recluster(self, component: set[int]) -> set[int]:
        self._note_listed_together(component)
        cluster_of = {record: {record} for record in component}
        for one, other in self._links(component):
            left, right = cluster_of[one], cluster_of[other]
            if left is not right and not self._apart(left, right):
                left |= right
                for record in right:
                    cluster_of[record] = left
        changed = set()
        for record in component:
            cluster = cluster_of[record]
            person = min(cluster, key=lambda r: (self._seen[r], r))
            if self.person_of[record] != person:
                self.person_of[record] = person
                changed.add(record)
            if record == person:
                self._keep(person, cluster, changed)
        return changed

    def _keep(self, person: int, cluster: set[int], changed: set[int]) -> None:
        records = tuple(sorted(cluster))
        if records != self.records(person):
            changed.update(records)
        if len(records) > 1:
            self.records_of[person] = records
        else:
            self.records_of.pop(person, None)

    def _links(self, component: set[int]) -> list[tuple[int, int]]:
        links = [
            (-weight, one, other)
            for one in component
            for other, weight in self._edges.strongest(one)
            if one < other and not self._ambiguous(one, other, weight)
        ]
        return [(one, other) for _, one, other in sorted(links)]

    def _ambiguous(self, one: int, other: int, weight: float) -> bool:
        """Whether either end could as well be somebody who is certainly not the other end.

        A record without a date of birth, beside a father and a son of one name, is neither's.
        """
        for here, there in ((one, other), (other, one)):
            near = self._edges.near[here]
            if len(near) > 1:
                for rival, rival_weight in self._edges.strongest(here):
                    if (
                        rival != there
                        and rival_weight > weight - self._rival_weight
                        and self._two_people(rival, there)
                    ):
                        return True
        return False

    def _apart(self, left: set[int], right: set[int]) -> bool:
        small, large = sorted((left, right), key=len)
        return any(self._two_people(a, b) for a in small for b in large)

    def _two_people(self, one: int, other: int) -> bool:
        if other in self._never_one.get(one, ()):
            return True
        # One source may write a person in two ways; a plain difference counts only where
        # nothing else compares them as equal.
        return other in self._against.near.get(one, ()) and other not in self._edges.near.get(
            one, ()
        )

    def _note_listed_together(self, component: set[int]) -> None:
        for one in component:
            for other in self._listed_with(one):
                if other in component and not self._edges.same(one, other):
                    self._never_one.setdefault(one, set()).add(other)
                    self._never_one.setdefault(other, set()).add(one)


class _Pairs:
    """Pairs that are usable at the present cut-off, by record."""

    def __init__(self, timed: Timed) -> None:
        self._one = timed.column("one")
        self._other = timed.column("other")
        self._weight = timed.column("weight")
        self._same = timed.column("same")
        self.near: dict[int, dict[int, set[int]]] = {}

    def apply(self, begun: list[int], ended: list[int]) -> set[int]:
        touched = set()
        for pair in begun:
            one, other = self._one[pair], self._other[pair]
            self.near.setdefault(one, {}).setdefault(other, set()).add(pair)
            self.near.setdefault(other, {}).setdefault(one, set()).add(pair)
            touched |= {one, other}
        for pair in ended:
            one, other = self._one[pair], self._other[pair]
            for here, there in ((one, other), (other, one)):
                self.near[here][there].discard(pair)
                if not self.near[here][there]:
                    del self.near[here][there]
                if not self.near[here]:
                    del self.near[here]
            touched |= {one, other}
        return touched

    def strongest(self, record: int) -> list[tuple[int, float]]:
        weight = self._weight
        return [
            (other, max(weight[pair] for pair in pairs))
            for other, pairs in self.near.get(record, {}).items()
        ]

    def same(self, one: int, other: int) -> bool:
        return any(self._same[pair] for pair in self.near.get(one, {}).get(other, ()))
