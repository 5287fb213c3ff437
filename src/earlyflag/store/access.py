"""Accounts, sessions, machine keys, purposes, look-up counts, throttles, repeated requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from earlyflag.core.errors import NotFound
from earlyflag.store.audit import AuditEntry, AuditTrail
from earlyflag.store.foreseen import Foreseen
from earlyflag.store.records import (
    Account,
    MachineKey,
    SessionRecord,
    StatedPurpose,
    columns,
    read,
)
from earlyflag.store.tables import (
    AccountRow,
    IdempotencyRow,
    LookupRow,
    MachineKeyRow,
    PurposeRow,
    SessionRow,
    ThrottleRow,
)
from earlyflag.store.writing import insert_once, upsert


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered to a request that came before."""

    request_hash: str
    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Throttle:
    """Failed sign-ins in a row under a key."""

    failures: int
    locked_until: datetime | None


_ACCOUNT: Select[*tuple[Any, ...]] = select(*AccountRow.__table__.columns).where(
    AccountRow.account_id == bindparam("account_id")
)
_SESSION: Select[*tuple[Any, ...]] = select(*SessionRow.__table__.columns).where(
    SessionRow.token_hash == bindparam("token_hash")
)
_KEY: Select[*tuple[Any, ...]] = select(*MachineKeyRow.__table__.columns).where(
    MachineKeyRow.key_hash == bindparam("key_hash")
)
_KEY_BY_ID: Select[*tuple[Any, ...]] = select(*MachineKeyRow.__table__.columns).where(
    MachineKeyRow.key_id == bindparam("key_id")
)
_LOOKED_UP = select(LookupRow.household_id).where(
    LookupRow.actor_id == bindparam("actor_id"),
    LookupRow.day == bindparam("day"),
    LookupRow.household_id == bindparam("household_id"),
)
_LOOKUPS = (
    select(func.count())
    .select_from(LookupRow)
    .where(LookupRow.actor_id == bindparam("actor_id"), LookupRow.day == bindparam("day"))
)
_PURPOSE: Select[*tuple[Any, ...]] = (
    select(*PurposeRow.__table__.columns)
    .where(
        PurposeRow.actor_id == bindparam("actor_id"),
        PurposeRow.household_id == bindparam("household_id"),
        PurposeRow.expires_at > bindparam("now"),
    )
    .order_by(PurposeRow.stated_at.desc())
)


class Access:
    """Who may come in, and what they opened."""

    def __init__(self, connection: Connection, audit: AuditTrail, foreseen: Foreseen) -> None:
        self._connection = connection
        self._audit = audit
        self._foreseen = foreseen

    def account(self, account_id: str) -> Account:
        """Return an account.

        Raises
        ------
        NotFound
            No account has this reference.
        """
        row = self._connection.execute(_ACCOUNT, {"account_id": account_id}).first()
        if row is None:
            raise NotFound("No account has this reference.")
        return read(Account, row)

    def account_by_username(self, username: str) -> Account | None:
        """Return the account that signs in with a username."""
        return self._account(AccountRow.username == username)

    def account_by_subject(self, subject: str) -> Account | None:
        """Return the account of an identity provider's subject."""
        return self._account(AccountRow.subject == subject)

    def _account(self, condition: Any) -> Account | None:
        query = select(*AccountRow.__table__.columns).where(condition)
        row = self._connection.execute(query).first()
        return None if row is None else read(Account, row)

    def accounts(self) -> list[Account]:
        """Return every account, by name."""
        query = select(*AccountRow.__table__.columns).order_by(AccountRow.display_name)
        return [read(Account, row) for row in self._connection.execute(query)]

    def add_account(self, account: Account, audit: AuditEntry) -> None:
        """Write a new account."""
        self._connection.execute(insert(AccountRow).values(**columns(account)))
        self._audit.append(audit)

    def change_account(
        self, account_id: str, changes: Mapping[str, Any], audit: AuditEntry
    ) -> None:
        """Change an account."""
        statement = update(AccountRow).where(AccountRow.account_id == account_id)
        self._connection.execute(statement.values(**changes))
        self._audit.append(audit)

    def add_session(self, session: SessionRecord, audit: AuditEntry) -> None:
        """Write a new session."""
        self._connection.execute(insert(SessionRow).values(**columns(session)))
        self._audit.append(audit)

    def session(self, token_hash: str) -> SessionRecord | None:
        """Return a session by the hash of its token."""
        row = self._connection.execute(_SESSION, {"token_hash": token_hash}).first()
        return None if row is None else read(SessionRecord, row)

    def touch_session(self, token_hash: str, now: datetime) -> None:
        """Say that a session was used."""
        statement = update(SessionRow).where(SessionRow.token_hash == token_hash)
        self._connection.execute(statement.values(seen_at=now))

    def end_session(self, token_hash: str, audit: AuditEntry) -> None:
        """Remove a session."""
        self._connection.execute(delete(SessionRow).where(SessionRow.token_hash == token_hash))
        self._audit.append(audit)

    def end_sessions_of(self, account_id: str) -> None:
        """Remove every session of an account."""
        self._connection.execute(delete(SessionRow).where(SessionRow.account_id == account_id))

    def throttle(self, key: str, now: datetime) -> Throttle:
        """Return the failed sign-ins under a key, which nobody else changes until we commit.

        The row is made first where there is none: one that is not there cannot be held, and
        guesses at the same moment would each count as the first.
        """
        new = {"key": key, "failures": 0, "locked_until": None, "changed_at": now}
        insert_once(self._connection, ThrottleRow, new)
        query = select(ThrottleRow.failures, ThrottleRow.locked_until).where(ThrottleRow.key == key)
        row = self._connection.execute(query.with_for_update()).one()
        return Throttle(row.failures, row.locked_until)

    def set_throttle(self, key: str, throttle: Throttle, now: datetime) -> None:
        """Write the failed sign-ins under a key."""
        row = {
            "key": key,
            "failures": throttle.failures,
            "locked_until": throttle.locked_until,
            "changed_at": now,
        }
        upsert(self._connection, ThrottleRow, [row])

    def add_key(self, key: MachineKey, audit: AuditEntry) -> None:
        """Write a machine's key."""
        self._connection.execute(insert(MachineKeyRow).values(**columns(key)))
        self._audit.append(audit)

    def key_by_hash(self, key_hash: str) -> MachineKey | None:
        """Return a machine's key by its hash."""
        row = self._connection.execute(_KEY, {"key_hash": key_hash}).first()
        return None if row is None else read(MachineKey, row)

    def key(self, key_id: str) -> MachineKey | None:
        """Return a machine's key by its reference."""
        row = self._connection.execute(_KEY_BY_ID, {"key_id": key_id}).first()
        return None if row is None else read(MachineKey, row)

    def keys(self) -> list[MachineKey]:
        """Return every machine's key, newest first."""
        query = select(*MachineKeyRow.__table__.columns).order_by(MachineKeyRow.created_at.desc())
        return [read(MachineKey, row) for row in self._connection.execute(query)]

    def revoke_key(self, key_id: str, now: datetime, audit: AuditEntry) -> None:
        """End a machine's key now."""
        statement = update(MachineKeyRow).where(MachineKeyRow.key_id == key_id)
        if self._connection.execute(statement.values(revoked_at=now)).rowcount == 0:
            raise NotFound("No key has this reference.")
        self._audit.append(audit)

    def add_purpose(self, purpose: StatedPurpose, audit: AuditEntry) -> None:
        """Write why somebody opens a household."""
        self._connection.execute(insert(PurposeRow).values(**columns(purpose)))
        self._audit.append(audit)

    def purpose(self, actor_id: str, household_id: str, now: datetime) -> StatedPurpose | None:
        """Return the purpose that lets somebody open a household now."""
        wanted = {"actor_id": actor_id, "household_id": household_id, "now": now}
        row = self._connection.execute(_PURPOSE, wanted).first()
        return None if row is None else read(StatedPurpose, row)

    def purposes(
        self, *, unreviewed: bool = False, before: datetime | None = None, limit: int = 50
    ) -> list[StatedPurpose]:
        """Return stated purposes, newest first."""
        query = select(*PurposeRow.__table__.columns)
        if unreviewed:
            query = query.where(PurposeRow.reviewed_at.is_(None))
        if before is not None:
            query = query.where(PurposeRow.stated_at < before)
        query = query.order_by(PurposeRow.stated_at.desc()).limit(limit)
        return [read(StatedPurpose, row) for row in self._connection.execute(query)]

    def stated(self, purpose_id: str) -> StatedPurpose:
        """Return a stated purpose.

        Raises
        ------
        NotFound
            No look-up has this reference.
        """
        query = select(*PurposeRow.__table__.columns).where(PurposeRow.purpose_id == purpose_id)
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("No look-up has this reference.")
        return read(StatedPurpose, row)

    def review_purpose(
        self, purpose_id: str, finding: str, *, by: str, now: datetime, audit: AuditEntry
    ) -> None:
        """Write what a review of a look-up found."""
        statement = update(PurposeRow).where(PurposeRow.purpose_id == purpose_id)
        done = self._connection.execute(
            statement.values(reviewed_by=by, reviewed_at=now, finding=finding)
        )
        if done.rowcount == 0:
            raise NotFound("No look-up has this reference.")
        self._audit.append(audit)

    def looked_up(self, actor_id: str, day: date, household_id: str) -> bool:
        """Return whether a household outside one's own work was counted on a day already."""
        if (actor_id, day, household_id) in self._foreseen.counted:
            return True
        wanted = {"actor_id": actor_id, "day": day, "household_id": household_id}
        return self._connection.scalar(_LOOKED_UP, wanted) is not None

    def count_lookup(self, actor_id: str, day: date, household_id: str) -> tuple[int, bool]:
        """Count a household opened outside one's own work; return the day's count, and if new."""
        is_new = not self.looked_up(actor_id, day, household_id)
        if is_new:
            row = {"actor_id": actor_id, "day": day, "household_id": household_id}
            insert_once(self._connection, LookupRow, row)
        count = self._connection.scalar(_LOOKUPS, {"actor_id": actor_id, "day": day})
        return count or 0, is_new

    def reserve_answer(
        self, actor_id: str, key: str, request_hash: str, now: datetime
    ) -> Answered | None:
        """Take a key for a request that is about to be done; return what was answered before.

        Where the same request is being done at this moment, this waits for it.
        """
        row = {
            "actor_id": actor_id,
            "key": key,
            "request_hash": request_hash,
            "status": 0,
            "body": "",
            "created_at": now,
        }
        if insert_once(self._connection, IdempotencyRow, row):
            return None
        query = select(
            IdempotencyRow.request_hash, IdempotencyRow.status, IdempotencyRow.body
        ).where(IdempotencyRow.actor_id == actor_id, IdempotencyRow.key == key)
        return read(Answered, self._connection.execute(query).one())

    def keep_answer(self, actor_id: str, key: str, status: int, body: str) -> None:
        """Keep what is answered to a request, in the transaction of its change."""
        statement = update(IdempotencyRow).where(
            IdempotencyRow.actor_id == actor_id, IdempotencyRow.key == key
        )
        self._connection.execute(statement.values(status=status, body=body))
