"""What a refusal of input tells: the field, what was expected, what kind of thing came."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from earlyflag import casework
from earlyflag.casework import AlertForm, ContactForm, Desk
from earlyflag.core.errors import InputInvalid
from earlyflag.store.terms import ContactChannel, ContactResult, ObjectionKind
from tests.office import NOW, Office

ROOM = Path(casework.__file__).parent
TODAY = NOW.date()
CANARY = "Ada Canary of 9 Canary Road"


def _raised() -> list[tuple[str, ast.Call]]:
    return [
        (f"{file.name}:{node.lineno}", node)
        for file in sorted(ROOM.glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "InputInvalid"
    ]


def test_every_refusal_of_a_field_says_what_was_expected() -> None:
    raised = _raised()
    assert len(raised) > 30
    silent = [
        place
        for place, call in raised
        if len(call.args) > 1 and "expected" not in {word.arg for word in call.keywords}
    ]
    assert silent == []


def _alert(**more: object) -> Callable[[Desk], object]:
    values = {"happened_on": TODAY, "tenant_name": CANARY, "address": CANARY, "postcode": "E1 1AA"}
    form = AlertForm(**{**values, "statement": CANARY, **more})
    return lambda desk: casework.report_alert(desk, form)


def _contact(desk: Desk) -> object:
    flag = desk.unit.flags.of_household("H0001")[0]
    form = ContactForm(TODAY, ContactChannel.VISIT, ContactResult.REACHED, note=CANARY * 200)
    return casework.record_contact(desk, flag.flag_id, flag.version, form)


def _objection(desk: Desk) -> object:
    kind = ObjectionKind.CONTEST
    return casework.record_objection(desk, "H0001", kind, " ", suppress_now=False)


@pytest.mark.parametrize(
    ("ask", "field", "got"),
    [
        (_alert(tenant_name=" "), "tenant_name", "nothing"),
        (_alert(happened_on=TODAY + timedelta(days=1)), "happened_on", "a day after today"),
        (_alert(happened_on=TODAY - timedelta(days=900)), "happened_on", "a day before today"),
        (_alert(arrears_pence=-1), "arrears_pence", "less than 0"),
        (_contact, "note", "5,400 characters"),
        (_objection, "statement", "nothing"),
        (lambda desk: casework.look_up_name(desk, f"{CANARY}*", "E1"), "surname", "a wildcard"),
        (lambda desk: casework.look_up_name(desk, CANARY * 9, "E1"), "surname", "243 characters"),
    ],
)
def test_a_refusal_tells_the_kind_of_what_came_and_never_what_it_was(
    busy_office: Office, ask: Callable[[Desk], object], field: str, got: str
) -> None:
    busy_office.take("officer", 1)
    with pytest.raises(InputInvalid) as refusal, busy_office.desk("officer") as desk:
        ask(desk)
    told = refusal.value
    assert (told.field, told.got) == (field, got)
    assert told.expected
    assert "Canary" not in f"{told} {told.expected} {told.got}"
