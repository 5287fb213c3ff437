"""Homelessness cases attach to people who are already known; they never join two of them."""

from __future__ import annotations

from earlyflag.linkage.events import Timeline
from earlyflag.linkage.ledger import Ledger
from earlyflag.linkage.people import People


class CaseLinks:
    """The person of each case, from the cut-off at which it is first certain enough.

    A case stays with the person it was attached to while their link stands, even when a record
    that fits better arrives later: what was known then is what the case said then.

    Attributes
    ----------
    links : case -> (record, weight) rows over time, one for every record of the person
    """

    def __init__(self, timeline: Timeline, people: People) -> None:
        pairs = timeline.case_pairs
        self._case = pairs.column("matter")
        self._record = pairs.column("record")
        self._weight = pairs.column("weight")
        self._changes = pairs.changes(len(timeline.grid))
        self._seen = timeline.seen
        self._people = people
        self._live: dict[int, set[int]] = {}
        self._anchor: dict[int, int] = {}
        self._cases_at: dict[int, set[int]] = {}
        self._records_of: dict[int, tuple[int, ...]] = {}
        self.links = Ledger()

    def step(self, index: int, changed: set[int]) -> None:
        """Move to the next cut-off, after people have; `changed` are records with a new person."""
        begun, ended = next(self._changes)
        touched = set()
        for pair in begun:
            self._live.setdefault(self._case[pair], set()).add(pair)
            touched.add(self._case[pair])
        for pair in ended:
            self._live[self._case[pair]].discard(pair)
            touched.add(self._case[pair])
        for record in changed & self._cases_at.keys():
            touched |= self._cases_at[record]
        for case in sorted(touched):
            self._attach(case, index)

    def finish(self) -> None:
        """Write down the links that still hold."""
        self.links.finish()

    def _attach(self, case: int, index: int) -> None:
        pairs = self._live.get(case, set())
        anchor = self._anchor.get(case)
        if anchor is None or all(self._record[pair] != anchor for pair in pairs):
            # The strongest pair decides; between equals the record that was known first.
            best = min(pairs, key=self._preference, default=None)
            anchor = None if best is None else self._record[best]
        for record in self._records_of.pop(case, ()):
            self._cases_at[record].discard(case)
        if anchor is None:
            self._anchor.pop(case, None)
            self.links.replace(case, index, ())
            return
        self._anchor[case] = anchor
        weight = max(self._weight[pair] for pair in pairs if self._record[pair] == anchor)
        person = self._people.person_of[anchor]
        records = self._people.records(person)
        self._records_of[case] = records
        for record in records:
            self._cases_at.setdefault(record, set()).add(case)
        self.links.replace(case, index, [(record, person, weight) for record in records])

    def _preference(self, pair: int) -> tuple[float, int, int]:
        record = self._record[pair]
        return (-self._weight[pair], self._seen[record], record)
