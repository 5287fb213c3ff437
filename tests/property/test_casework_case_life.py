"""Any walk through the case life keeps to a reference model and leaves one audit row a move."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine

from earlyflag import casework
from earlyflag.casework import AssessmentForm, ContactForm, DecisionForm, OutcomeForm
from earlyflag.core.errors import EarlyflagError
from earlyflag.store import connect, upgrade
from earlyflag.store.terms import (
    AssessmentWhy,
    ContactChannel,
    ContactResult,
    DecisionCode,
    DutyOwed,
    Helped,
    OutcomeCode,
    Permission,
    Role,
    SuppressionKind,
)
from earlyflag.store.units import begin
from tests.databases import fresh_postgresql
from tests.office import NOW, Office, household_id

HOUSEHOLDS = 3
OWNER = "whoever has it"
WORKERS = ("officer", "reviewer", "safe")
EVERYONE = (*WORKERS, "manager", "analyst")
numbers = st.integers(1, HOUSEHOLDS)
# Most steps are tried by whoever has the flag, so that walks go deep.
people = st.sampled_from([*[OWNER] * 9, *EVERYONE])
stale = st.sampled_from([*[0] * 9, -1])


@dataclass
class Expected:
    """What the reference model says of one flag."""

    flag_id: str
    state: str = "waiting"
    owner: str | None = None
    version: int = 1
    until: date | None = None
    safe: bool = False
    suppressed: bool = False


class CaseLife(RuleBasedStateMachine):
    """Walks flags through their lives and foretells every answer."""

    folder: tempfile.TemporaryDirectory[str] | None = None

    def fresh_database(self) -> Engine:
        """Return an engine on an empty database with the newest schema."""
        self.folder = tempfile.TemporaryDirectory(prefix="case-life-")
        engine = connect(f"sqlite:///{Path(self.folder.name) / 'casework.db'}")
        upgrade(engine)
        return engine

    @initialize()
    def open_the_office(self) -> None:
        self.office = Office(self.fresh_database())
        self.office.clock = type(self.office.clock)(NOW)
        for name in ("officer", "reviewer", "manager", "analyst"):
            self.office.hire(name, Role(name))
        self.office.hire("safe", Role.OFFICER, permissions=[Permission.SAFE_CONTACT])
        self.office.publish(range(1, HOUSEHOLDS + 1))
        self.office.raise_flags(HOUSEHOLDS)
        self.model = {
            number: Expected(self.office.flag_of(number).flag_id)
            for number in range(1, HOUSEHOLDS + 1)
        }
        self._begin_in_the_middle()
        self.moves = 0
        self.audited = self._move_rows()

    def _begin_in_the_middle(self) -> None:
        """Let walks begin with one flag assigned and one offered, so that they go deep."""
        for number, who in ((1, "officer"), (2, "reviewer")):
            self.office.take(who, number)
            self.model[number].state, self.model[number].owner = "assigned", who
            self.model[number].version += 1
        offered = self.model[2]
        form = DecisionForm(DecisionCode.OFFER_HELP, "Because.", ("money_advice",))
        with self.office.desk("reviewer") as desk:
            casework.decide(desk, offered.flag_id, offered.version, form)
        offered.state = "offered"
        offered.version += 1

    def teardown(self) -> None:
        if hasattr(self, "office"):
            self.office.engine.dispose()
        if self.folder is not None:
            self.folder.cleanup()

    def _move_rows(self) -> int:
        with begin(self.office.engine) as unit:
            rows = list(unit.audit.rows())
        return sum(row.action.startswith("flag_") and row.subject is not None for row in rows)

    def _today(self) -> date:
        return self.office.clock.now().date()

    def _attempt(self, who: str, number: int, ok: bool, call, **after: object) -> None:
        """Do it; expect success, and then the model's change, or a refusal and no change."""
        expected = self.model[number]
        try:
            with self.office.desk(who) as desk:
                call(desk, expected)
        except EarlyflagError:
            assert not ok, f"{who} was refused, but the model allows it: {expected}"
        else:
            assert ok, f"{who} succeeded, but the model refuses it: {expected}"
            expected.version += 1
            self.moves += 1
            for name, value in after.items():
                setattr(expected, name, value)

    def _person(self, who: str, number: int) -> str:
        """Return who is meant: somebody by name, or the flag's owner (a reviewer if none)."""
        return (self.model[number].owner or "reviewer") if who == OWNER else who

    def _knows(self, who: str, number: int) -> bool:
        expected = self.model[number]
        hidden = expected.state == "withdrawn" or (expected.safe and who != "safe")
        return who != "analyst" and not hidden

    def _owns(self, who: str, number: int) -> bool:
        return self._knows(who, number) and self.model[number].owner == who

    @rule(who=people, number=numbers, off=stale)
    def take(self, who: str, number: int, off: int) -> None:
        who = self._person(who, number)
        expected = self.model[number]
        free = expected.state == "waiting"
        again = expected.owner == who and expected.state in (
            "assigned", "paused", "watching", "offered",
        )  # fmt: skip
        ok = self._knows(who, number) and off == 0 and (free or again)
        after = "assigned" if free else expected.state
        self._attempt(
            who,
            number,
            ok,
            lambda desk, flag: casework.take_flag(desk, flag.flag_id, flag.version + off),
            **({"state": after, "owner": who} if ok else {}),
        )

    @rule(who=people, number=numbers, to=st.sampled_from(EVERYONE), off=stale)
    def assign(self, who: str, number: int, to: str, off: int) -> None:
        who = self._person(who, number)
        expected = self.model[number]
        open_ = expected.state in ("waiting", "assigned", "paused", "watching", "offered")
        ok = (
            who == "manager"
            and off == 0
            and open_
            and self._knows(who, number)
            and self._knows(to, number)
        )
        after = "assigned" if expected.state == "waiting" else expected.state
        account = self.office.people[to].actor_id
        self._attempt(
            who,
            number,
            ok,
            lambda desk, flag: casework.assign_flags(
                desk, [(flag.flag_id, flag.version + off)], account
            ),
            **({"state": after, "owner": to} if ok else {}),
        )

    @rule(who=people, number=numbers)
    def put_back(self, who: str, number: int) -> None:
        who = self._person(who, number)
        expected = self.model[number]
        ok = self._owns(who, number) and expected.state in ("assigned", "offered")
        self._attempt(
            who,
            number,
            ok,
            lambda desk, flag: casework.put_back(desk, flag.flag_id, flag.version),
            **({"state": "waiting", "owner": None} if ok else {}),
        )

    @rule(who=people, number=numbers, days=st.integers(-1, 40), off=stale)
    def pause(self, who: str, number: int, days: int, off: int) -> None:
        who = self._person(who, number)
        expected = self.model[number]
        until = self._today() + timedelta(days=days)
        mine = self._owns(who, number) and expected.state == "assigned"
        ok = mine and days > 0 and off == 0
        self._attempt(
            who,
            number,
            ok,
            lambda desk, flag: casework.pause(
                desk, flag.flag_id, flag.version + off, until, "Away until then."
            ),
            **({"state": "paused", "until": until} if ok else {}),
        )

    @rule(who=people, number=numbers)
    def resume(self, who: str, number: int) -> None:
        who = self._person(who, number)
        expected = self.model[number]
        ok = self._owns(who, number) and expected.state in ("paused", "watching")
        self._attempt(
            who,
            number,
            ok,
            lambda desk, flag: casework.resume(desk, flag.flag_id, flag.version),
            **({"state": "assigned", "until": None} if ok else {}),
        )

    @rule(
        who=people,
        number=numbers,
        code=st.sampled_from(DecisionCode),
        reason=st.sampled_from([*["Because of this."] * 5, " "]),
        agrees=st.sampled_from([None, True, False]),
        off=stale,
    )
    def decide(
        self, who: str, number: int, code: DecisionCode, reason: str, agrees: bool | None, off: int
    ) -> None:
        who = self._person(who, number)
        expected = self.model[number]
        state = {
            DecisionCode.OFFER_HELP: "offered",
            DecisionCode.WATCH_UNTIL: "watching",
            DecisionCode.SAFE_CONTACT_NEEDED: "waiting",
        }.get(code, "decided")
        fits = expected.state == "assigned" or (
            expected.state == "offered" and code is not DecisionCode.WATCH_UNTIL
        )
        ok = self._owns(who, number) and fits and reason != " " and off == 0
        until = self._today() + timedelta(days=9) if code is DecisionCode.WATCH_UNTIL else None
        offers = ("money_advice",) if code is DecisionCode.OFFER_HELP else ()
        form = DecisionForm(code, reason, offers, until)
        view = AssessmentForm(agrees, AssessmentWhy.REASONS_MATCH) if agrees is not None else None
        changes: dict[str, object] = {"state": state, "until": until}
        if code is DecisionCode.SAFE_CONTACT_NEEDED:
            changes |= {"owner": None, "safe": True}
        self._attempt(
            who,
            number,
            ok,
            lambda desk, flag: casework.decide(desk, flag.flag_id, flag.version + off, form, view),
            **(changes if ok else {}),
        )

    @rule(who=people, number=numbers, result=st.sampled_from(ContactResult))
    def contact(self, who: str, number: int, result: ContactResult) -> None:
        who = self._person(who, number)
        ok = self._owns(who, number) and self.model[number].state in ("assigned", "offered")
        form = ContactForm(self._today(), ContactChannel.TELEPHONE, result)
        self._attempt(
            who,
            number,
            ok,
            lambda desk, flag: casework.record_contact(desk, flag.flag_id, flag.version, form),
        )

    @rule(who=people, number=numbers)
    def outcome(self, who: str, number: int) -> None:
        who = self._person(who, number)
        ok = self._owns(who, number) and self.model[number].state in (
            "offered", "decided", "closed",
        )  # fmt: skip
        form = OutcomeForm(Helped.YES, OutcomeCode.STAYED_HOME, DutyOwed.NONE, True)
        self._attempt(
            who,
            number,
            ok,
            lambda desk, flag: casework.record_outcome(desk, flag.flag_id, flag.version, form),
            **({"state": "closed"} if ok else {}),
        )

    @rule(who=people, number=numbers)
    def reopen(self, who: str, number: int) -> None:
        who = self._person(who, number)
        expected = self.model[number]
        ok = (
            who in ("reviewer", "manager")
            and self._knows(who, number)
            and expected.state in ("decided", "closed")
            and not expected.suppressed
        )
        self._attempt(
            who,
            number,
            ok,
            lambda desk, flag: casework.reopen(desk, flag.flag_id, flag.version),
            **({"state": "assigned", "owner": who} if ok else {}),
        )

    @precondition(lambda self: sum(f.state != "withdrawn" for f in self.model.values()) > 2)
    @rule(number=numbers)
    def suppress(self, number: int) -> None:
        expected = self.model[number]
        live = expected.state not in ("decided", "closed", "withdrawn")
        with self.office.desk("manager") as desk:
            casework.suppress(desk, household_id(number), SuppressionKind.OBJECTION)
        expected.suppressed = True
        if live:
            expected.state = "withdrawn"
            expected.version += 1
            self.moves += 1

    @rule(days=st.integers(1, 12))
    def days_pass(self, days: int) -> None:
        self.office.clock.advance(timedelta(days=days))
        due = [
            flag
            for flag in self.model.values()
            if flag.state in ("paused", "watching")
            and flag.until is not None
            and flag.until <= self._today()
        ]
        with self.office.desk("daily") as desk:
            assert len(casework.resume_due(desk)) == len(due)
        for flag in due:
            flag.state, flag.until = "assigned", None
            flag.version += 1
            self.moves += 1

    @invariant()
    def every_flag_is_as_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        names = {actor.actor_id: name for name, actor in self.office.people.items()}
        for number, expected in self.model.items():
            flag = self.office.flag_of(number)
            assert (flag.state, flag.version) == (expected.state, expected.version)
            assert flag.safe_contact == expected.safe
            if flag.state not in ("decided", "closed", "withdrawn"):
                assert names.get(flag.assignee_id) == expected.owner

    @invariant()
    def every_move_left_one_audit_row(self) -> None:
        if hasattr(self, "model"):
            assert self._move_rows() == self.audited + self.moves

    @invariant()
    def the_audit_is_sound(self) -> None:
        if hasattr(self, "model"):
            assert casework.verify_audit(self.office.engine).findings == ()


CALM = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


class ShortWalk(CaseLife):
    pass


class LongWalk(CaseLife):
    pass


class PostgresqlWalk(CaseLife):
    """The same walk on a real PostgreSQL; `address` is its server's."""

    address = ""

    def fresh_database(self) -> Engine:
        """Return an engine on a copy of the server's model database."""
        return fresh_postgresql(self.address)


def test_the_case_life_on_postgresql_keeps_to_the_same_model(postgresql: str) -> None:
    PostgresqlWalk.address = postgresql
    walk = settings(
        max_examples=5, stateful_step_count=20, deadline=None, suppress_health_check=CALM,
        derandomize=True,
    )  # fmt: skip
    run_state_machine_as_test(PostgresqlWalk, settings=walk)


TestCaseLife = ShortWalk.TestCase
TestCaseLife.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=CALM,
    derandomize=True,
)  # fmt: skip

TestCaseLifeOfTenThousandSteps = pytest.mark.slow(LongWalk.TestCase)
TestCaseLifeOfTenThousandSteps.settings = settings(
    max_examples=200, stateful_step_count=50, deadline=None, suppress_health_check=CALM,
)  # fmt: skip
