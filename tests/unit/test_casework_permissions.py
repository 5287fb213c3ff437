"""The table of role, action and field: complete, and what it does not declare is denied."""

from __future__ import annotations

from dataclasses import fields
from itertools import product

import pytest

from earlyflag.casework.desk import Actor
from earlyflag.casework.permissions import ROLES, SCOPES, SYSTEM, Action, Field, fields_for
from earlyflag.casework.rules import check_may, may
from earlyflag.casework.withholding import FIELDS, withhold
from earlyflag.core.errors import NotAllowed
from earlyflag.store.terms import ActorKind, Role, Scope
from tests.office import household

PERSONAL = {
    Field.NAME,
    Field.DATE_OF_BIRTH,
    Field.ADDRESS,
    Field.REFERENCE,
    Field.EVIDENCE,
    Field.TIMELINE,
    Field.CASE_WORDS,
}
CASE_ACTIONS = {
    Action.LIST_FLAGS,
    Action.READ_FLAG,
    Action.READ_HOUSEHOLD,
    Action.LOOK_UP,
    Action.DECIDE,
}


def _actor(*roles: Role) -> Actor:
    return Actor("A1", ActorKind.PERSON, "Somebody", frozenset(roles))


def test_every_role_and_scope_stands_in_the_table() -> None:
    assert set(ROLES) == set(Role)
    assert set(SCOPES) == set(Scope)


def test_every_action_is_somebodys() -> None:
    declared = {action for table in (*ROLES.values(), *SCOPES.values(), SYSTEM) for action in table}
    assert declared == set(Action)


@pytest.mark.parametrize(("role", "action"), list(product(Role, Action)))
def test_a_cell_that_is_not_declared_is_denied(role: Role, action: Action) -> None:
    actor = _actor(role)
    if action in ROLES[role]:
        assert check_may(actor, action) == ROLES[role][action]
    else:
        assert not may(actor, action)
        with pytest.raises(NotAllowed):
            check_may(actor, action)


def test_nobody_may_do_anything_without_a_role() -> None:
    assert not any(may(_actor(), action) for action in Action)


def test_two_roles_see_what_either_sees() -> None:
    both = fields_for(Action.READ_MODEL, roles=[Role.ANALYST, Role.AUDITOR])
    assert both == ROLES[Role.ANALYST][Action.READ_MODEL]


def test_an_analyst_is_shown_nothing_personal() -> None:
    for action, shown in ROLES[Role.ANALYST].items():
        assert not shown & (PERSONAL | {Field.STAFF}), action


def test_auditors_and_administrators_see_no_case() -> None:
    for role in (Role.AUDITOR, Role.ADMIN):
        assert not CASE_ACTIONS & ROLES[role].keys()
        for action, shown in ROLES[role].items():
            assert not shown & PERSONAL, action


def test_no_person_publishes_raises_or_erases() -> None:
    for role in Role:
        for action in (Action.PUBLISH, Action.RAISE_FLAGS, Action.ERASE, Action.RETAIN):
            assert action not in ROLES[role]


def test_no_machine_is_shown_names_or_words() -> None:
    for scope, table in SCOPES.items():
        for shown in table.values():
            assert not shown & {Field.NAME, Field.DATE_OF_BIRTH, Field.CASE_WORDS}, scope


@pytest.mark.parametrize("kind", list(FIELDS))
def test_every_field_of_a_record_that_is_shown_has_a_group(kind: type) -> None:
    assert {field.name for field in fields(kind)} == set(FIELDS[kind])


def test_what_is_withheld_is_blank() -> None:
    shown = withhold(household(1), frozenset({Field.PSEUDONYM}))
    assert shown.household_id == "H0001"
    assert (shown.address, shown.uprn, shown.members, shown.ward_code) == ("", "", (), "")
