"""Sign in and out: local accounts, the identity provider's roles, sessions, throttling."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine

from earlyflag.casework.desk import Actor, Desk, Rules, open_desk, system_actor
from earlyflag.casework.people import HASHER, new_account
from earlyflag.core.errors import (
    NotAllowed,
    NotSignedIn,
    TooMany,
)
from earlyflag.store.access import Access, Throttle
from earlyflag.store.audit import Detail
from earlyflag.store.database import reading
from earlyflag.store.records import Account, SessionRecord
from earlyflag.store.terms import ActorKind, Permission, Role
from earlyflag.store.units import UnitOfWork, begin

FREE_FAILURES = {"name": 5, "address": 50}
"""How many in a row are no reason to wait; a whole office may share one address."""
LONGEST_LOCK = timedelta(minutes=15)
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: the token for its cookie, and what pages need."""

    token: str
    csrf_token: str
    actor: Actor
    expires_at: datetime


def hash_token(token: str) -> str:
    """Return the hash under which a session's or machine's secret is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def actor_of(account: Account, correlation_id: str = "") -> Actor:
    """Return the actor that an account's holder is."""
    return Actor(
        actor_id=account.account_id,
        kind=ActorKind.PERSON,
        display_name=account.display_name,
        roles=account.roles,
        permissions=account.permissions,
        correlation_id=correlation_id,
    )


def sign_in(
    engine: Engine,
    username: str,
    password: str,
    *,
    now: datetime,
    rules: Rules,
    address: str = "",
    correlation_id: str = "",
) -> Session:
    """Check a local account's password and start a session.

    Attempts are counted by username and by `address` (the client's network address, kept as a
    hash), before the password is looked at, so that many at once are many. After five in a row
    for a name, or fifty from an address, each further one locks it for longer, up to 15 minutes.
    A right password begins both counts anew.

    Raises
    ------
    NotSignedIn
        The username or the password is wrong; the message does not say which.
    TooMany
        There were too many failures; with how long to wait.
    """
    name = username.strip().lower()
    keys = {_throttle_key("name", name): FREE_FAILURES["name"]}
    if address:
        keys[_throttle_key("address", address)] = FREE_FAILURES["address"]
    with begin(engine) as unit:
        wait = _count_attempt(unit.access, keys, now)
        account = unit.access.account_by_username(name)
    if wait is not None:
        raise TooMany(
            "Too many failed attempts to sign in. "
            f"Try again in {-(-wait.total_seconds() // 60):.0f} minutes."
        )
    known = account is not None and account.is_active and account.password_hash is not None
    stored = account.password_hash if account and account.password_hash else _NOBODY
    if not (_verify(stored, password) and known) or account is None:
        system = system_actor("sign_in", correlation_id)
        with open_desk(engine, system, now=now, rules=rules) as desk:
            subject = account.account_id if account else None
            desk.unit.audit.append(desk.entry("sign_in_failed", subject=subject))
        raise NotSignedIn("The username or the password is not right.")
    with open_desk(engine, actor_of(account, correlation_id), now=now, rules=rules) as desk:
        for key in keys:
            desk.unit.access.set_throttle(key, Throttle(0, None), now)
        return start_session(desk)


def _verify(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _throttle_key(kind: str, value: str) -> str:
    return f"{kind}:{hash_token(value)[:32]}"


def _count_attempt(access: Access, keys: Mapping[str, int], now: datetime) -> timedelta | None:
    """Count an attempt that may be made, as failed until it is not; else return how long to wait.

    Parameters
    ----------
    keys : how many failures in a row each key is free to have
    """
    counted = {key: access.throttle(key, now) for key in keys}
    waits = [
        one.locked_until - now
        for one in counted.values()
        if one.locked_until is not None and one.locked_until > now
    ]
    if waits:
        return max(waits)
    for key, before in counted.items():
        failures = before.failures + 1
        over = failures - keys[key]
        lock = min(timedelta(seconds=30 * 2 ** min(over, 10)), LONGEST_LOCK) if over >= 0 else None
        access.set_throttle(key, Throttle(failures, now + lock if lock else None), now)
    return None


def start_session(desk: Desk) -> Session:
    """Start a session for the desk's person, who has proved who they are."""
    token = secrets.token_urlsafe(32)
    record = SessionRecord(
        token_hash=hash_token(token),
        account_id=desk.actor.actor_id,
        csrf_token=secrets.token_urlsafe(24),
        started_at=desk.now,
        seen_at=desk.now,
        expires_at=desk.now + timedelta(hours=desk.rules.session_hours),
    )
    desk.unit.access.add_session(record, desk.entry("sign_in"))
    return Session(token, record.csrf_token, desk.actor, record.expires_at)


def resume_session(
    engine: Engine, token: str, *, now: datetime, rules: Rules, correlation_id: str = ""
) -> Session:
    """Return the session of a cookie's token, if it is still good.

    Raises
    ------
    NotSignedIn
        There is none, it was idle too long, it is too old, or the account was closed.
    """
    digest = hash_token(token)
    with reading(engine) as connection:
        access = UnitOfWork(connection).access
        record = access.session(digest)
        account = access.account(record.account_id) if record else None
    idle = timedelta(minutes=rules.session_idle_minutes)
    if record is None or account is None or not account.is_active:
        raise NotSignedIn("You are not signed in.")
    if now >= record.expires_at or now - record.seen_at >= idle:
        raise NotSignedIn("Your session has ended. Sign in again.")
    if now - record.seen_at >= timedelta(minutes=1):
        with begin(engine) as unit:
            unit.access.touch_session(digest, now)
    actor = actor_of(account, correlation_id)
    return Session(token, record.csrf_token, actor, record.expires_at)


def sign_out(desk: Desk, token: str) -> None:
    """End a session."""
    desk.unit.access.end_session(hash_token(token), desk.entry("sign_out"))


def roles_from_claims(
    claims: Iterable[str], mapping: Mapping[str, str]
) -> tuple[frozenset[Role], frozenset[Permission]]:
    """Return the roles and permissions that an identity provider's app roles stand for.

    Parameters
    ----------
    claims : iterable of str
        The `roles` claim of the identity token.
    mapping : mapping
        From app role to one of ours, or to a permission's name; from the settings. An app role
        that is not in it gives nothing.

    Raises
    ------
    NotAllowed
        Nothing is left.
    """
    named = [mapping[claim] for claim in claims if claim in mapping]
    roles = frozenset(role for role in Role if role.value in named)
    permissions = frozenset(one for one in Permission if one.value in named)
    if not roles:
        raise NotAllowed("Your council account has no role here. Ask your manager for one.")
    return roles, permissions


def sign_in_with_provider(
    engine: Engine,
    subject: str,
    display_name: str,
    claims: Iterable[str],
    *,
    mapping: Mapping[str, str],
    now: datetime,
    rules: Rules,
    correlation_id: str = "",
) -> Session:
    """Start a session for somebody whom the council's identity provider vouches for.

    Their account is made at their first sign-in, and its roles are the provider's each time.

    Raises
    ------
    NotAllowed
        The provider gives them no role, or their account was closed here.
    """
    roles, permissions = roles_from_claims(claims, mapping)
    door = system_actor("openid", correlation_id)
    with open_desk(engine, door, now=now, rules=rules) as desk:
        access = desk.unit.access
        account = access.account_by_subject(subject)
        detail: dict[str, Detail] = {"roles": sorted(roles), "permissions": sorted(permissions)}
        if account is None:
            account = new_account(
                f"openid:{hash_token(subject)[:16]}",
                display_name,
                roles,
                permissions,
                subject=subject,
                now=now,
            )
            entry = desk.entry("account_made", subject=account.account_id, detail=detail)
            access.add_account(account, entry)
        elif not account.is_active:
            raise NotAllowed("Your account has been closed. Ask your manager.")
        elif (account.roles, account.permissions) != (roles, permissions):
            entry = desk.entry("account_changed", subject=account.account_id, detail=detail)
            access.change_account(
                account.account_id,
                {"roles": sorted(roles), "permissions": sorted(permissions)},
                entry,
            )
        known = access.account(account.account_id)
    with open_desk(engine, actor_of(known, correlation_id), now=now, rules=rules) as desk:
        return start_session(desk)
