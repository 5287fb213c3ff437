"""Signed messages to case systems."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta

import pytest

from earlyflag import casework
from earlyflag.casework import DecisionForm
from earlyflag.casework.webhooks import CLOSED, DECIDED, EVENTS, MOST_ATTEMPTS, RAISED, SIGNATURE
from earlyflag.core.errors import InputInvalid, NotAllowed
from earlyflag.store.outbox import Webhook
from earlyflag.store.terms import DecisionCode
from tests.office import Office

ADDRESS = "https://cases.example/hook"


class CaseSystem:
    """A receiver that answers with a status and keeps what came."""

    def __init__(self, status: int = 204) -> None:
        self.status = status
        self.got: list[tuple[str, bytes, Mapping[str, str]]] = []

    def __call__(self, address: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.got.append((address, body, headers))
        return self.status


def _listen(office: Office, *events: str) -> Webhook:
    with office.desk("admin") as desk:
        return casework.make_webhook(desk, ADDRESS, events)


def _decide(office: Office, code: DecisionCode = DecisionCode.DECLINED) -> None:
    flag = office.take("reviewer", 1)
    with office.desk("reviewer") as desk:
        casework.decide(desk, flag.flag_id, flag.version, DecisionForm(code, "Ada said no."))


def _deliver(office: Office, system: CaseSystem) -> tuple[int, int]:
    return casework.deliver(office.engine, system, office.clock)


def test_a_decision_is_told_once_signed_and_without_anything_personal(
    busy_office: Office,
) -> None:
    hook = _listen(busy_office, DECIDED, CLOSED)
    _decide(busy_office)
    system = CaseSystem()
    assert _deliver(busy_office, system) == (1, 0)
    assert _deliver(busy_office, system) == (0, 0)
    ((address, body, headers),) = system.got
    assert address == ADDRESS
    told = json.loads(body)
    assert (told["event"], told["state"], told["version"]) == (DECIDED, "decided", 3)
    assert b"Ada" not in body
    stamp, signature = (part.split("=")[1] for part in headers[SIGNATURE].split(","))
    expected = hmac.new(hook.secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    assert signature == expected.hexdigest()


def test_flags_that_are_raised_are_told_those_held_back_are_not(office: Office) -> None:
    _listen(office, RAISED)
    office.publish(range(1, 41))
    summary = office.raise_flags(10, holdback_share=0.5, seed=2)
    assert summary.held_back > 0
    system = CaseSystem()
    assert _deliver(office, system) == (10, 0)


def test_a_flag_that_needs_safe_contact_is_never_told(busy_office: Office) -> None:
    _listen(busy_office, *EVENTS)
    _decide(busy_office, DecisionCode.SAFE_CONTACT_NEEDED)
    assert _deliver(busy_office, CaseSystem()) == (0, 0)


def test_a_message_that_is_not_taken_is_sent_again_later_and_given_up_in_the_end(
    busy_office: Office,
) -> None:
    _listen(busy_office, DECIDED)
    _decide(busy_office)
    broken = CaseSystem(503)
    assert _deliver(busy_office, broken) == (0, 1)
    assert _deliver(busy_office, broken) == (0, 0)
    for _ in range(MOST_ATTEMPTS + 3):
        busy_office.clock.advance(timedelta(hours=7))
        _deliver(busy_office, broken)
    assert len(broken.got) == MOST_ATTEMPTS


def test_a_change_that_is_undone_tells_nobody(busy_office: Office) -> None:
    _listen(busy_office, DECIDED)
    flag = busy_office.take("reviewer", 1)
    with pytest.raises(ZeroDivisionError), busy_office.desk("reviewer") as desk:
        form = DecisionForm(DecisionCode.DECLINED, "No.")
        casework.decide(desk, flag.flag_id, flag.version, form)
        raise ZeroDivisionError
    assert _deliver(busy_office, CaseSystem()) == (0, 0)


def test_an_ended_webhook_is_told_nothing(busy_office: Office) -> None:
    hook = _listen(busy_office, DECIDED)
    with busy_office.desk("admin") as desk:
        casework.end_webhook(desk, hook.webhook_id)
    _decide(busy_office)
    assert _deliver(busy_office, CaseSystem()) == (0, 0)


def test_a_webhook_that_cannot_be_is_refused(office: Office) -> None:
    for address, events in (
        ("http://cases.example/", [DECIDED]),
        ("https://user:word@cases.example/", [DECIDED]),
        (f"https://{'a' * 80}.example/", [DECIDED]),
        ("https://cases.example:abc/hook", [DECIDED]),
        ("https://cases.example:0/hook", [DECIDED]),
        ("https://cases..example/hook", [DECIDED]),
        ("https://ca ses.example/hook", [DECIDED]),
        ("https://cases.example/é", [DECIDED]),
        ("https://[::1/hook", [DECIDED]),
        (ADDRESS, []),
        (ADDRESS, ["flag.eaten"]),
    ):
        with pytest.raises(InputInvalid), office.desk("admin") as desk:
            casework.make_webhook(desk, address, events)
    with pytest.raises(NotAllowed), office.desk("manager") as desk:
        casework.make_webhook(desk, ADDRESS, [DECIDED])


def test_each_message_is_signed_at_the_instant_at_which_it_is_sent(office: Office) -> None:
    stamps = []

    def slow(_address: str, _body: bytes, headers: Mapping[str, str]) -> int:
        stamps.append(headers[SIGNATURE].split(",")[0])
        office.clock.advance(timedelta(seconds=10))
        return 200

    _listen(office, RAISED)
    office.publish(range(1, 41))
    office.raise_flags(3)
    casework.deliver(office.engine, slow, office.clock)
    assert len(set(stamps)) == 3
