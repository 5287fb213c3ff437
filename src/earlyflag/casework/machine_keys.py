"""Keys of machines: hashed, scoped, expiring."""

from __future__ import annotations

import secrets
import time
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
KNOWN_SECONDS = 5.0
MOST_KNOWN = 1_000


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
        raise InputInvalid(
            "A key needs a name that says which system uses it.",
            "name",
            expected="a few words",
            got="nothing",
        )
    if not chosen:
        raise InputInvalid(
            "A key needs at least one scope.", "scopes", expected=", ".join(Scope), got="none"
        )
    if not 1 <= days <= LONGEST_DAYS:
        raise InputInvalid(
            f"Got {days} days, but expected 1 to {LONGEST_DAYS}.",
            "days",
            expected=f"1 to {LONGEST_DAYS}",
            got=str(days),
        )
    if Scope.ALERTS_WRITE in chosen and alert_source is None:
        raise InputInvalid(
            "A key for alerts needs to say whose alerts they are.",
            "alert_source",
            expected=", ".join(AlertSource),
            got="nothing",
        )
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


def check_key_holds(key: MachineKey | None, now: datetime) -> MachineKey:
    """Return a key that lets its machine in at this instant.

    Raises
    ------
    NotSignedIn
        The key is not known, has expired or was revoked.
    """
    if key is None or key.revoked_at is not None or now >= key.expires_at:
        raise NotSignedIn(
            "This key is not valid, or no longer. Ask an administrator for a new one."
        )
    return key


def machine_actor(engine: Engine, secret: str, *, now: datetime, correlation_id: str = "") -> Actor:
    """Return the machine that holds a key.

    Raises
    ------
    NotSignedIn
        The key is not known, has expired or was revoked.
    """
    return _actor(_read_key(engine, hash_token(secret), now), correlation_id)


def _read_key(engine: Engine, key_hash: str, now: datetime) -> MachineKey:
    with reading(engine) as connection:
        key = UnitOfWork(connection).access.key_by_hash(key_hash)
    return check_key_holds(key, now)


def _actor(key: MachineKey, correlation_id: str) -> Actor:
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


class KnownKeys:
    """The keys that came in during the last seconds, so that a busy machine is known at the door.

    It only says who stands there. Whatever a machine then does reads its key again, in the
    transaction of what it does: a revoked key ends at once, in every process. A key that is not
    good is never remembered.
    """

    def __init__(self, *, seconds: float = KNOWN_SECONDS) -> None:
        self._seconds = seconds
        self._keys: dict[str, tuple[MachineKey, float]] = {}

    def actor(self, secret: str, *, now: datetime, correlation_id: str = "") -> Actor | None:
        """Return the machine that holds a key, or None where the database must be asked."""
        found = self._keys.get(hash_token(secret))
        if found is None or time.monotonic() >= found[1] or now >= found[0].expires_at:
            return None
        return _actor(found[0], correlation_id)

    def ask(self, engine: Engine, secret: str, *, now: datetime, correlation_id: str = "") -> Actor:
        """Return the machine that holds a key, from the database, and remember it.

        Raises
        ------
        NotSignedIn
            The key is not known, has expired or was revoked.
        """
        key_hash = hash_token(secret)
        self._keys.pop(key_hash, None)
        key = _read_key(engine, key_hash, now)
        if len(self._keys) >= MOST_KNOWN:
            self._keys.clear()
        self._keys[key_hash] = (key, time.monotonic() + self._seconds)
        return _actor(key, correlation_id)
