"""Single moves of the case life that the random walk does not look at closely."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest

from earlyflag import casework
from earlyflag.casework import ContactForm, DecisionForm, OutcomeForm
from earlyflag.casework.transitions import DECIDING, TRANSITIONS, Move
from earlyflag.core.errors import Conflict, EarlyflagError, InputInvalid, NotAllowed, Stale
from earlyflag.store.records import CaseOutcome, Contact, Flag, OfferMade
from earlyflag.store.terms import (
    ContactChannel,
    ContactResult,
    DecisionCode,
    DutyOwed,
    FlagState,
    Helped,
    OfferState,
    OutcomeCode,
    Purpose,
)
from earlyflag.store.units import begin
from tests.office import Office, household_id

OFFER = DecisionForm(DecisionCode.OFFER_HELP, "Could be helped.", ("money_advice",))
DECLINE = DecisionForm(DecisionCode.DECLINED, "Said no.")


def _decide(office: Office, who: str, flag: Flag, form: DecisionForm) -> Flag:
    with office.desk(who) as desk:
        return casework.decide(desk, flag.flag_id, flag.version, form)


def test_every_state_is_reached_and_left_as_the_table_says() -> None:
    reached = {FlagState.WAITING, FlagState.HELD_BACK} | set(TRANSITIONS.values())
    assert reached == set(FlagState)
    ends = set(FlagState) - {state for state, _ in TRANSITIONS}
    assert ends == {FlagState.LAPSED, FlagState.WITHDRAWN}
    assert set(DECIDING) == set(DecisionCode)
    assert {move for _, move in TRANSITIONS} == set(Move)


def test_two_reviewers_on_one_flag_one_succeeds_and_the_other_sees_both_versions(
    busy_office: Office,
) -> None:
    flag = busy_office.take("reviewer", 1)
    first = _decide(busy_office, "reviewer", flag, OFFER)
    with pytest.raises(Stale, match=r"version 3.*version 2") as stale:
        _decide(busy_office, "reviewer", flag, DECLINE)
    assert stale.value.http_status == 412
    assert busy_office.flag_of(1) == first


def test_two_reviewers_at_the_same_moment_decide_once(busy_office: Office) -> None:
    flag = busy_office.take("reviewer", 1)
    start = threading.Barrier(4)
    answers: list[object] = []

    def decide() -> None:
        start.wait()
        try:
            answers.append(_decide(busy_office, "reviewer", flag, DECLINE))
        except EarlyflagError as error:
            answers.append(error)

    people = [threading.Thread(target=decide) for _ in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sum(isinstance(answer, Flag) for answer in answers) == 1
    assert sum(isinstance(answer, Stale) for answer in answers) == 3
    assert busy_office.actions().count("decision") == 1
    assert casework.verify_audit(busy_office.engine).is_sound


def _send(office: Office, flag: Flag, key: str, body: bytes) -> str:
    """Send one form as the web does: under a key, answered with what was done."""
    digest = casework.request_hash("POST /decisions", body)
    with office.desk("reviewer") as desk:
        before = casework.answered_before(desk, key, digest)
        if before is not None:
            return before.body
        done = casework.decide(desk, flag.flag_id, flag.version, OFFER)
        casework.keep_answer(desk, key, 303, done.state)
        return done.state


def test_the_same_form_sent_twice_decides_once(busy_office: Office) -> None:
    flag = busy_office.take("reviewer", 1)
    answers = [_send(busy_office, flag, "key-1", b"form") for _ in range(2)]
    assert answers == ["offered", "offered"]
    assert busy_office.actions().count("decision") == 1
    with pytest.raises(Conflict):
        _send(busy_office, flag, "key-1", b"another form")
    with pytest.raises(InputInvalid):
        _send(busy_office, flag, " ", b"form")


def test_the_same_form_sent_twice_at_the_same_moment_decides_once(busy_office: Office) -> None:
    flag = busy_office.take("reviewer", 1)
    start = threading.Barrier(3)
    answers: list[str] = []

    def send() -> None:
        start.wait()
        answers.append(_send(busy_office, flag, "key-1", b"form"))

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert answers == ["offered"] * 3
    assert busy_office.actions().count("decision") == 1


def test_a_form_that_failed_may_be_sent_again_under_its_key(busy_office: Office) -> None:
    flag = busy_office.flag_of(1)
    with pytest.raises(NotAllowed):
        _send(busy_office, flag, "key-1", b"form")
    taken = busy_office.take("reviewer", 1)
    assert _send(busy_office, taken, "key-1", b"form") == "offered"


@pytest.mark.parametrize(
    "form",
    [
        DecisionForm(DecisionCode.OFFER_HELP, "Why."),
        DecisionForm(DecisionCode.OFFER_HELP, "Why.", ("no_such_offer",)),
        DecisionForm(DecisionCode.OFFER_HELP, "Why.", ("money_advice", "money_advice")),
        DecisionForm(DecisionCode.DECLINED, "Why.", ("money_advice",)),
        DecisionForm(DecisionCode.DECLINED, "  "),
        DecisionForm(DecisionCode.DECLINED, "x" * 5_000),
        DecisionForm(DecisionCode.WATCH_UNTIL, "Why."),
        DecisionForm(DecisionCode.WATCH_UNTIL, "Why.", (), date(2026, 10, 1)),
        DecisionForm(DecisionCode.WATCH_UNTIL, "Why.", (), date(2029, 1, 1)),
        DecisionForm(DecisionCode.DECLINED, "Why.", (), date(2026, 12, 1)),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused_and_names_its_field(
    busy_office: Office, form: DecisionForm
) -> None:
    flag = busy_office.take("reviewer", 1)
    with pytest.raises(InputInvalid) as refused:
        _decide(busy_office, "reviewer", flag, form)
    assert refused.value.field in {"offers", "reason", "watch_until"}
    assert "decision" not in busy_office.actions()


def test_safe_contact_needed_hides_the_flag_from_who_decided_it(busy_office: Office) -> None:
    flag = busy_office.take("reviewer", 1)
    form = DecisionForm(DecisionCode.SAFE_CONTACT_NEEDED, "Call at work only.")
    assert _decide(busy_office, "reviewer", flag, form).state is FlagState.WAITING
    assert household_id(1) not in [f.household_id for f in busy_office.flags("reviewer")]


def test_an_offer_contact_and_outcome_follow_one_another(busy_office: Office) -> None:
    flag = _decide(busy_office, "reviewer", busy_office.take("reviewer", 1), OFFER)
    assert flag.next_action == "contact"
    with busy_office.desk("reviewer") as desk:
        call = ContactForm(desk.today, ContactChannel.TELEPHONE, ContactResult.NO_ANSWER)
        flag = casework.record_contact(desk, flag.flag_id, flag.version, call)
        assert flag.next_action == "contact_again"
        visit = ContactForm(
            desk.today, ContactChannel.VISIT, ContactResult.REACHED, interpreter="Turkish"
        )
        flag = casework.record_contact(desk, flag.flag_id, flag.version, visit)
        assert flag.next_action == "outcome"
        view = casework.get_flag(desk, flag.flag_id)
        casework.change_offer(desk, view.offers[0].offer_id, OfferState.ACCEPTED)
        form = OutcomeForm(Helped.YES, OutcomeCode.STAYED_HOME, DutyOwed.NONE, True, "Better.")
        flag = casework.record_outcome(desk, flag.flag_id, flag.version, form)
    assert flag.state is FlagState.CLOSED
    with begin(busy_office.engine) as unit:
        assert len(unit.cases.of_flag(Contact, flag.flag_id)) == 2
        assert unit.cases.of_flag(OfferMade, flag.flag_id)[0].state is OfferState.ACCEPTED
        assert unit.cases.of_flag(CaseOutcome, flag.flag_id)[0].note == "Better."
    with busy_office.desk("manager") as desk:
        funnel = casework.funnel(desk)
    assert (funnel.helped, funnel.decisions) == ({"yes": 1}, {"offer_help": 1})


def test_a_contact_on_a_day_to_come_is_refused(busy_office: Office) -> None:
    flag = busy_office.take("reviewer", 1)
    with pytest.raises(InputInvalid), busy_office.desk("reviewer") as desk:
        later = desk.today + timedelta(days=1)
        form = ContactForm(later, ContactChannel.VISIT, ContactResult.REACHED)
        casework.record_contact(desk, flag.flag_id, flag.version, form)


def test_the_page_offers_what_the_rules_allow(busy_office: Office) -> None:
    flag = busy_office.take("officer", 1)

    def allowed(who: str) -> set[str]:
        with busy_office.desk(who) as desk:
            return set(casework.get_flag(desk, flag.flag_id).allowed)

    assert allowed("officer") == {"decide", "offer", "watch", "contact", "pause", "assess"}
    assert allowed("reviewer") == set()
    assert allowed("manager") == {"assign"}
    assert allowed("analyst") == set()


def test_the_words_of_a_case_are_for_those_in_whose_work_it_is(busy_office: Office) -> None:
    flag = _decide(busy_office, "reviewer", busy_office.take("reviewer", 1), OFFER)

    def reason(who: str) -> str:
        with busy_office.desk(who) as desk:
            return casework.get_flag(desk, flag.flag_id).decisions[0].reason

    assert reason("reviewer") == "Could be helped."
    assert reason("officer") == ""
    with busy_office.desk("officer") as desk:
        casework.state_purpose(desk, household_id(1), Purpose.HOUSEHOLD_ASKED)
    assert reason("officer") == "Could be helped."
