"""Keys of machines: hashed, scoped, expiring."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Engine

from earlyflag.casework.desk import Actor, Desk
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.casework.signing_in import hash_token
from earlyflag.core.errors import InputInvalid, NotSignedIn
from earlyflag.store.audit import Detail
from earlyflag.store.database import reading
from earlyflag.store.records import MachineKey, new_id
from earlyflag.store.terms import ActorKind, AlertSource, Scope
from earlyflag.store.units import UnitOfWork

PREFIX = "efk_"
LONGEST_DAYS = 366


def make_key(
    desk: Desk,
    name: str,
    scopes: Iterable[Scope],
    *,
    days: int = 90,
    alert_source: AlertSource | None = None,
    lookups_alert_at: int | None = None,
    lookups_stop_at: int | None = None,
) -> tuple[str, MachineKey]:
    """Return a new key, shown this once, and its record, which keeps only the hash.

    Raises
    ------
    InputInvalid
        It has no name or scope, or would last longer than 366 days.
    """
    check_may(desk.actor, Action.KEEP_KEYS)
    chosen = frozenset(scopes)
    if not name.strip():
        raise InputInvalid("A key needs a name that says which system uses it.", "name")
    if not chosen:
        raise InputInvalid("A key needs at least one scope.", "scopes")
    if not 1 <= days <= LONGEST_DAYS:
        raise InputInvalid(f"Got {days} days, but expected 1 to {LONGEST_DAYS}.", "days")
    if Scope.ALERTS_WRITE in chosen and alert_source is None:
        raise InputInvalid("A key for alerts needs to say whose alerts they are.", "alert_source")
    secret = PREFIX + secrets.token_urlsafe(32)
    key = MachineKey(
        key_id=new_id("K"),
        name=name.strip(),
        key_hash=hash_token(secret),
        scopes=chosen,
        alert_source=alert_source,
        lookups_alert_at=lookups_alert_at or desk.rules.lookups_alert_at,
        lookups_stop_at=lookups_stop_at or desk.rules.lookups_stop_at,
        created_by=desk.actor.actor_id,
        created_at=desk.now,
        expires_at=desk.now + timedelta(days=days),
        revoked_at=None,
    )
    detail: dict[str, Detail] = {
        "scopes": sorted(chosen),
        "expires": key.expires_at.date().isoformat(),
    }
    desk.unit.access.add_key(key, desk.entry("key_made", subject=key.key_id, detail=detail))
    return secret, key


def keys(desk: Desk) -> list[MachineKey]:
    """Return every machine's key, newest first."""
    check_may(desk.actor, Action.KEEP_KEYS)
    return desk.unit.access.keys()


def revoke_key(desk: Desk, key_id: str) -> None:
    """End a key now.

    Raises
    ------
    NotFound
        No key has this reference.
    """
    check_may(desk.actor, Action.KEEP_KEYS)
    desk.unit.access.revoke_key(key_id, desk.now, desk.entry("key_revoked", subject=key_id))


def machine_actor(engine: Engine, secret: str, *, now: datetime, correlation_id: str = "") -> Actor:
    """Return the machine that holds a key.

    Raises
    ------
    NotSignedIn
        The key is not known, has expired or was revoked.
    """
    with reading(engine) as connection:
        key = UnitOfWork(connection).access.key_by_hash(hash_token(secret))
    if key is None or key.revoked_at is not None or now >= key.expires_at:
        raise NotSignedIn(
            "This key is not valid, or no longer. Ask an administrator for a new one."
        )
    return Actor(
        actor_id=key.key_id,
        kind=ActorKind.MACHINE,
        display_name=key.name,
        scopes=key.scopes,
        correlation_id=correlation_id,
        lookups_alert_at=key.lookups_alert_at,
        lookups_stop_at=key.lookups_stop_at,
        alert_source=key.alert_source,
    )
