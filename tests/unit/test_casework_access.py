"""Sign in, stay signed in, machines' keys, roles of the identity provider."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from earlyflag import casework
from earlyflag.casework import signing_in
from earlyflag.core.errors import Conflict, InputInvalid, NotAllowed, NotSignedIn, TooMany
from earlyflag.store.tables import MachineKeyRow, SessionRow
from earlyflag.store.terms import ActorKind, AlertSource, Permission, Role, Scope
from earlyflag.store.units import begin
from tests.office import PASSWORD, Office


def _hire(office: Office, name: str = "ada") -> str:
    with office.desk("admin") as desk:
        return casework.make_account(desk, name, "Ada", PASSWORD, [Role.OFFICER]).account_id


def _sign_in(office: Office, password: str = PASSWORD, name: str = "ada") -> casework.Session:
    return casework.sign_in(
        office.engine,
        name,
        password,
        now=office.clock.now(),
        rules=office.rules,
        address="10.0.0.1",
    )


def _resume(office: Office, token: str) -> casework.Session:
    return casework.resume_session(office.engine, token, now=office.clock.now(), rules=office.rules)


def test_the_right_password_starts_a_session(office: Office) -> None:
    _hire(office)
    session = _sign_in(office, name=" Ada ")
    assert _resume(office, session.token).actor.roles == {Role.OFFICER}
    assert office.actions()[-1] == "sign_in"


def test_neither_password_nor_token_is_stored(office: Office) -> None:
    account_id = _hire(office)
    session = _sign_in(office)
    with begin(office.engine) as unit:
        account = unit.access.account(account_id)
        tokens = unit.connection.execute(SessionRow.__table__.select()).all()
    assert account.password_hash is not None
    assert account.password_hash.startswith("$argon2id$")
    assert session.token not in repr(tokens)


def test_a_wrong_password_and_an_unknown_name_are_told_alike(office: Office) -> None:
    _hire(office)
    with pytest.raises(NotSignedIn) as wrong:
        _sign_in(office, "three other wrong words")
    with pytest.raises(NotSignedIn) as unknown:
        _sign_in(office, name="nobody")
    assert str(wrong.value) == str(unknown.value)
    assert office.actions()[-2:] == ["sign_in_failed", "sign_in_failed"]


def _fail(office: Office, name: str = "ada") -> None:
    with pytest.raises(NotSignedIn):
        _sign_in(office, "three other wrong words", name)


def test_failures_in_a_row_lock_the_name_for_a_while(office: Office) -> None:
    _hire(office)
    for _ in range(5):
        _fail(office)
    with pytest.raises(TooMany, match="minutes"):
        _sign_in(office)
    _fail(office, "somebody-else")
    office.clock.advance(timedelta(minutes=1))
    assert _sign_in(office).actor.display_name == "Ada"


def test_a_colleague_at_the_same_address_may_mistype_and_lock_nobody_out(office: Office) -> None:
    _hire(office)
    for number in range(12):
        for again in range(4):
            _fail(office, f"colleague-{number}-{again}")
        assert _sign_in(office).actor.display_name == "Ada"


def test_many_failures_from_one_address_lock_it_whatever_the_names(office: Office) -> None:
    _hire(office)
    for number in range(50):
        _fail(office, f"guess-{number}")
    with pytest.raises(TooMany):
        _sign_in(office)
    office.clock.advance(timedelta(minutes=1))
    assert _sign_in(office).actor.display_name == "Ada"


def test_guesses_at_the_same_moment_are_counted_before_any_is_looked_at(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hire(office)
    looked_at: list[str] = []

    def verify(_stored: str, password: str) -> bool:
        """Let the next guess begin before this one is answered."""
        looked_at.append(password)
        if len(looked_at) < 10:
            with contextlib.suppress(NotSignedIn, TooMany):
                _sign_in(office, f"guess number {len(looked_at)}")
        return False

    monkeypatch.setattr(signing_in, "_verify", verify)
    _fail(office)
    assert len(looked_at) == 5


def test_parallel_guesses_are_as_many_as_guesses_in_a_row(office: Office) -> None:
    _hire(office)

    def guess(number: int) -> type[Exception] | None:
        try:
            _sign_in(office, f"guess number {number}")
        except (NotSignedIn, TooMany) as error:
            return type(error)
        return None

    with ThreadPoolExecutor(10) as many:
        answers = list(many.map(guess, range(30)))
    assert answers.count(NotSignedIn) == 5
    assert answers.count(TooMany) == 25


def test_a_session_ends_when_it_is_idle_too_long_or_too_old(office: Office) -> None:
    _hire(office)
    idle = _sign_in(office)
    office.clock.advance(timedelta(minutes=30))
    with pytest.raises(NotSignedIn):
        _resume(office, idle.token)
    busy = _sign_in(office)
    for _ in range(24):
        office.clock.advance(timedelta(minutes=24))
        _resume(office, busy.token)
    office.clock.advance(timedelta(minutes=24))
    with pytest.raises(NotSignedIn):
        _resume(office, busy.token)


def test_signing_out_ends_the_session(office: Office) -> None:
    _hire(office)
    session = _sign_in(office)
    with office.desk(session.actor) as desk:
        casework.sign_out(desk, session.token)
    with pytest.raises(NotSignedIn):
        _resume(office, session.token)


def test_a_change_of_roles_or_a_closed_account_ends_its_sessions(office: Office) -> None:
    account_id = _hire(office)
    session = _sign_in(office)
    with office.desk("admin") as desk:
        casework.change_account(desk, account_id, permissions=[Permission.SAFE_CONTACT])
    with pytest.raises(NotSignedIn):
        _resume(office, session.token)
    session = _sign_in(office)
    assert session.actor.sees_safe_contact
    with office.desk("admin") as desk:
        casework.change_account(desk, account_id, is_active=False)
    with pytest.raises(NotSignedIn):
        _resume(office, session.token)
    with pytest.raises(NotSignedIn):
        _sign_in(office)


def test_nobody_changes_their_own_roles(office: Office) -> None:
    admin = office.people["admin"]
    with pytest.raises(NotAllowed), office.desk("admin") as desk:
        casework.change_account(desk, admin.actor_id, roles=[Role.OFFICER])


@pytest.mark.parametrize(
    ("name", "password", "roles", "error"),
    [
        ("new", "short", [Role.OFFICER], InputInvalid),
        ("new", "aaaaaaaaaaaaaaaa", [Role.OFFICER], InputInvalid),
        (" ", PASSWORD, [Role.OFFICER], InputInvalid),
        ("new", PASSWORD, [], InputInvalid),
        ("officer", PASSWORD, [Role.OFFICER], Conflict),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    office: Office, name: str, password: str, roles: list[Role], error: type[Exception]
) -> None:
    with pytest.raises(error), office.desk("admin") as desk:
        casework.make_account(desk, name, "New", password, roles)


def test_the_demo_has_an_account_a_role_and_says_so(office: Office) -> None:
    with begin(office.engine) as unit:
        unit.connection.execute(text("UPDATE accounts SET username = 'x-' || username"))
    assert not casework.has_demo_accounts(office.engine)
    made = casework.make_demo_accounts(office.engine, now=office.clock.now(), rules=office.rules)
    assert set(made) == set(Role)
    assert len(set(made.values())) == len(made)
    assert casework.has_demo_accounts(office.engine)
    assert _sign_in(office, made["auditor"], "auditor").actor.roles == {Role.AUDITOR}
    again = casework.make_demo_accounts(office.engine, now=office.clock.now(), rules=office.rules)
    with pytest.raises(NotSignedIn):
        _sign_in(office, made["auditor"], "auditor")
    assert _sign_in(office, again["auditor"], "auditor")


def test_the_demo_does_not_touch_accounts_that_are_not_its_own(office: Office) -> None:
    with pytest.raises(Conflict):
        casework.make_demo_accounts(office.engine, now=office.clock.now(), rules=office.rules)


def _provided(office: Office, *claims: str) -> casework.Session:
    return casework.sign_in_with_provider(
        office.engine,
        "subject-1",
        "Ada",
        claims,
        mapping={"EF.Officer": "officer", "EF.Safe": "safe_contact", "EF.Bad": "emperor"},
        now=office.clock.now(),
        rules=office.rules,
    )


def test_the_providers_roles_are_taken_at_each_sign_in(office: Office) -> None:
    first = _provided(office, "EF.Officer", "EF.Safe", "Unrelated").actor
    assert (first.roles, first.permissions) == ({Role.OFFICER}, {Permission.SAFE_CONTACT})
    second = _provided(office, "EF.Officer").actor
    assert second.actor_id == first.actor_id
    assert second.permissions == frozenset()


@pytest.mark.parametrize("claims", [(), ("Unrelated",), ("EF.Bad",), ("EF.Safe",)])
def test_a_provider_that_gives_no_role_lets_nobody_in(
    office: Office, claims: tuple[str, ...]
) -> None:
    with pytest.raises(NotAllowed):
        _provided(office, *claims)


def test_a_machines_key_is_hashed_scoped_and_expires(office: Office) -> None:
    with office.desk("admin") as desk:
        secret, key = casework.make_key(desk, "Case system", [Scope.FLAGS_READ], days=30)
    with begin(office.engine) as unit:
        assert secret not in repr(unit.connection.execute(MachineKeyRow.__table__.select()).all())
    actor = casework.machine_actor(office.engine, secret, now=office.clock.now())
    assert (actor.kind, actor.scopes) == (ActorKind.MACHINE, {Scope.FLAGS_READ})
    assert actor.fields(casework.Action.LIST_FLAGS)
    assert actor.fields(casework.Action.DECIDE) is None
    later = office.clock.now() + timedelta(days=30)
    with pytest.raises(NotSignedIn):
        casework.machine_actor(office.engine, secret, now=later)
    with office.desk("admin") as desk:
        casework.revoke_key(desk, key.key_id)
    with pytest.raises(NotSignedIn):
        casework.machine_actor(office.engine, secret, now=office.clock.now())


def test_a_key_that_cannot_be_is_refused(office: Office) -> None:
    for name, scopes, more in (
        ("", [Scope.SCORE], {}),
        ("x", [], {}),
        ("x", [Scope.SCORE], {"days": 400}),
        ("x", [Scope.ALERTS_WRITE], {}),
    ):
        with pytest.raises(InputInvalid), office.desk("admin") as desk:
            casework.make_key(desk, name, scopes, **more)
    with office.desk("admin") as desk:
        casework.make_key(desk, "x", [Scope.ALERTS_WRITE], alert_source=AlertSource.AGENT)
        assert len(casework.keys(desk)) == 1


def test_an_officer_keeps_neither_accounts_nor_keys(office: Office) -> None:
    for call in (casework.accounts, casework.keys):
        with pytest.raises(NotAllowed), office.desk("officer") as desk:
            call(desk)
    assert office.actions()[-2:] == ["refused", "refused"]
