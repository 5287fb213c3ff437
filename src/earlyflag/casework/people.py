"""Accounts of people: make them, change them, and the demo's, one a role."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

from argon2 import PasswordHasher
from sqlalchemy import Engine

from earlyflag.casework.desk import Desk, Rules, open_desk, system_actor
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.core.errors import Conflict, InputInvalid, NotAllowed
from earlyflag.store.audit import Detail
from earlyflag.store.database import reading
from earlyflag.store.records import Account, new_id
from earlyflag.store.terms import Permission, Role
from earlyflag.store.units import UnitOfWork

PASSWORD_LENGTH = 12
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def check_password(password: str) -> None:
    """Refuse a password that is too short; length counts, not kinds of characters.

    Raises
    ------
    InputInvalid
        It has fewer than 12 characters, more than 256, or is one character repeated.
    """
    if not PASSWORD_LENGTH <= len(password) <= 256 or len(set(password)) < 5:
        raise InputInvalid(
            f"A password needs {PASSWORD_LENGTH} characters or more, not the same few again and "
            "again. Three unrelated words are good.",
            "password",
            expected=f"{PASSWORD_LENGTH} characters or more",
            got="one that is shorter or easier to guess",
        )


def _no_role() -> InputInvalid:
    return InputInvalid("An account needs a role.", "roles", expected=", ".join(Role), got="none")


def new_account(
    username: str,
    display_name: str,
    roles: Iterable[Role],
    permissions: Iterable[Permission],
    *,
    now: datetime,
    password: str | None = None,
    subject: str | None = None,
    is_demo: bool = False,
) -> Account:
    """Return an account that is not written yet, its password hashed."""
    return Account(
        account_id=new_id("A"),
        username=username.strip().lower(),
        display_name=display_name.strip(),
        password_hash=HASHER.hash(password) if password is not None else None,
        subject=subject,
        roles=frozenset(roles),
        permissions=frozenset(permissions),
        is_active=True,
        is_demo=is_demo,
        created_at=now,
        password_changed_at=now if password is not None else None,
    )


def make_account(
    desk: Desk,
    username: str,
    display_name: str,
    password: str,
    roles: Iterable[Role],
    permissions: Iterable[Permission] = (),
    *,
    is_demo: bool = False,
) -> Account:
    """Make a local account.

    Raises
    ------
    InputInvalid
        The password is too short, the username blank, or there is no role.
    Conflict
        The username is taken.
    """
    check_may(desk.actor, Action.KEEP_ACCOUNTS)
    check_password(password)
    roles, permissions = frozenset(roles), frozenset(permissions)
    if not username.strip():
        raise InputInvalid(
            "An account needs a username.", "username", expected="a name", got="nothing"
        )
    if not roles:
        raise _no_role()
    if desk.unit.access.account_by_username(username.strip().lower()) is not None:
        raise Conflict("This username is taken. Choose another.")
    account = new_account(
        username, display_name, roles, permissions, now=desk.now, password=password, is_demo=is_demo
    )
    detail: dict[str, Detail] = {"roles": sorted(roles), "permissions": sorted(permissions)}
    entry = desk.entry("account_made", subject=account.account_id, detail=detail)
    desk.unit.access.add_account(account, entry)
    return account


def change_account(
    desk: Desk,
    account_id: str,
    *,
    roles: Iterable[Role] | None = None,
    permissions: Iterable[Permission] | None = None,
    is_active: bool | None = None,
    password: str | None = None,
) -> Account:
    """Change an account's roles, permissions, password, or whether it may sign in.

    Its sessions end, so that the change holds at once.

    Raises
    ------
    NotAllowed
        Nobody changes the roles of their own account.
    NotFound
        No account has this reference.
    """
    check_may(desk.actor, Action.KEEP_ACCOUNTS)
    if account_id == desk.actor.actor_id:
        raise NotAllowed("Nobody changes their own account's roles. Ask another administrator.")
    access = desk.unit.access
    account = access.account(account_id)
    changes: dict[str, object] = {}
    if roles is not None:
        changes["roles"] = sorted(frozenset(roles))
        if not changes["roles"]:
            raise _no_role()
    if permissions is not None:
        changes["permissions"] = sorted(frozenset(permissions))
    if is_active is not None:
        changes["is_active"] = is_active
    if password is not None:
        check_password(password)
        changes |= {"password_hash": HASHER.hash(password), "password_changed_at": desk.now}
    if not changes:
        return account
    entry = desk.entry(
        "account_changed",
        subject=account_id,
        detail={
            "roles": sorted(frozenset(roles)) if roles is not None else sorted(account.roles),
            "permissions": sorted(frozenset(permissions))
            if permissions is not None
            else sorted(account.permissions),
            "state": "active" if changes.get("is_active", account.is_active) else "closed",
        },
    )
    access.change_account(account_id, changes, entry)
    access.end_sessions_of(account_id)
    return access.account(account_id)


def accounts(desk: Desk) -> list[Account]:
    """Return every account, by name."""
    check_may(desk.actor, Action.KEEP_ACCOUNTS)
    return desk.unit.access.accounts()


DEMO_ACCOUNTS: Mapping[str, tuple[str, Role]] = {
    "reviewer": ("Demo reviewer", Role.REVIEWER),
    "officer": ("Demo officer", Role.OFFICER),
    "manager": ("Demo manager", Role.MANAGER),
    "analyst": ("Demo analyst", Role.ANALYST),
    "auditor": ("Demo auditor", Role.AUDITOR),
    "admin": ("Demo admin", Role.ADMIN),
}
"""One account a role, for the demo alone."""


def make_demo_accounts(
    engine: Engine, *, now: datetime, rules: Rules, password: str | None = None
) -> dict[str, str]:
    """Make the demo's accounts, or give them fresh passwords; return username to password.

    Parameters
    ----------
    password : str or None
        The same for all, where tests need to know it; else one is drawn for each.
    """
    made: dict[str, str] = {}
    with open_desk(engine, system_actor("demo"), now=now, rules=rules) as desk:
        for username, (title, role) in DEMO_ACCOUNTS.items():
            chosen = password or f"{username}-{secrets.token_hex(4)}"
            account = desk.unit.access.account_by_username(username)
            if account is None:
                make_account(desk, username, title, chosen, [role], is_demo=True)
            elif account.is_demo:
                change_account(desk, account.account_id, password=chosen)
            else:
                raise Conflict(
                    f"There is an account {username} that is not the demo's. "
                    "Use a home folder of its own for the demo."
                )
            made[username] = chosen
    return made


def has_demo_accounts(engine: Engine) -> bool:
    """Answer whether an active demo account exists; then nothing but loopback may be served."""
    with reading(engine) as connection:
        found = UnitOfWork(connection).access.accounts()
    return any(account.is_demo and account.is_active for account in found)
