"""The audit trail: appended in the same transaction, chained by hash, never changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from earlyflag.core.errors import AuditBroken
from earlyflag.store.records import read
from earlyflag.store.tables import AuditCheckpointRow, AuditHeadRow, AuditRow
from earlyflag.store.terms import ActorKind

GENESIS = "0" * 64
DETAIL_KEYS = frozenset(
    {
        "agrees", "alerts", "arm", "as_of", "assignee", "attempted", "band", "barriers", "capacity",
        "channel", "code", "count", "deleted", "dry_run", "due_on", "duty", "error",
        "expires", "fields", "filters", "found", "from_state", "helped", "households",
        "key", "kind", "limit", "model_version", "name", "offers", "origin", "outcome",
        "permissions", "reference", "result", "roles", "run_id", "scopes", "state",
        "through", "to_state", "until", "useful", "version", "why", "widened_from",
        "withheld",
    }
)  # fmt: skip
"""What may be told beside the fixed columns: codes, counts, pseudonyms; never words of a case."""

Detail = str | int | float | bool | None | list[str] | dict[str, int]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One read or change to be written down: who, what, whom, when, why.

    Attributes
    ----------
    household_id : the household's pseudonym, if one was touched
    subject : the flag, list, account, key or run that was touched
    detail : codes and counts under the keys of `DETAIL_KEYS`; never a name, an address or words
    """

    at: datetime
    actor_id: str
    actor_kind: ActorKind
    roles: str
    action: str
    correlation_id: str
    household_id: str | None = None
    subject: str | None = None
    purpose: str | None = None
    detail: Mapping[str, Detail] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a detail that is not on the list."""
        undeclared = self.detail.keys() - DETAIL_KEYS
        if undeclared:
            raise ValueError(f"Got audit details {sorted(undeclared)}, but expected DETAIL_KEYS.")


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A row of the audit as it stands."""

    sequence: int
    at: datetime
    actor_id: str
    actor_kind: ActorKind
    roles: str
    action: str
    household_id: str | None
    subject: str | None
    purpose: str | None
    correlation_id: str
    detail: str
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The newest row: its number (0 when there is none) and its hash."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The signed end of a stretch of the audit whose rows may be gone."""

    through_sequence: int
    through_hash: str
    rows: int
    signed_at: datetime
    public_key: str
    signature: str

    def signed_text(self) -> bytes:
        """Return what the signature covers."""
        return (
            f"earlyflag audit checkpoint|{self.through_sequence}|{self.through_hash}|{self.rows}|"
            f"{self.signed_at.astimezone(UTC).isoformat()}"
        ).encode()


def row_hash(
    sequence: int, entry: AuditEntry | AuditRecord, detail: str, previous_hash: str
) -> str:
    """Return the SHA-256 over everything a row says and the hash of the row before it."""
    content = [
        sequence,
        entry.at.astimezone(UTC).isoformat(),
        entry.actor_id,
        str(entry.actor_kind),
        entry.roles,
        entry.action,
        entry.household_id,
        entry.subject,
        entry.purpose,
        entry.correlation_id,
        detail,
        previous_hash,
    ]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


_LOCKED_HEAD = select(AuditHeadRow.sequence, AuditHeadRow.hash).with_for_update()
_INSERT = insert(AuditRow)
_MOVE_HEAD = update(AuditHeadRow).values(sequence=bindparam("sequence"), hash=bindparam("hash"))


def _about(
    household_id: str, alert_ids: Collection[str]
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions of rows about one household, and of rows that name it in a list.

    An alert that is the household's now was listed, and came, before it was anybody's.
    """
    named = or_(
        AuditRow.subject.in_(list(alert_ids)),
        *(
            AuditRow.detail.contains(json.dumps(name), autoescape=True)
            for name in (household_id, *alert_ids)
        ),
    )
    return AuditRow.household_id == household_id, AuditRow.household_id.is_(None) & named


class AuditTrail:
    """Appends to the audit and reads it.

    Entries are kept until the transaction ends and then written at once, so that the one row
    that every writer must lock, the head, is held for the shortest time.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pending: list[AuditEntry] = []

    def append(self, entry: AuditEntry) -> None:
        """Take an entry; it is written when the transaction is committed."""
        self._pending.append(entry)

    def flush(self) -> AuditHead | None:
        """Write what was taken, and return the new head; called by the unit of work."""
        if not self._pending:
            return None
        sequence, previous = self._connection.execute(_LOCKED_HEAD).one()
        rows = []
        for entry in self._pending:
            sequence += 1
            detail = json.dumps(entry.detail, sort_keys=True, separators=(",", ":"))
            digest = row_hash(sequence, entry, detail, previous)
            rows.append(
                {
                    "sequence": sequence,
                    "at": entry.at,
                    "actor_id": entry.actor_id,
                    "actor_kind": entry.actor_kind,
                    "roles": entry.roles,
                    "action": entry.action,
                    "household_id": entry.household_id,
                    "subject": entry.subject,
                    "purpose": entry.purpose,
                    "correlation_id": entry.correlation_id,
                    "detail": detail,
                    "previous_hash": previous,
                    "hash": digest,
                }
            )
            previous = digest
        self._pending.clear()
        self._connection.execute(_INSERT, rows)
        self._connection.execute(_MOVE_HEAD, {"sequence": sequence, "hash": previous})
        return AuditHead(sequence, previous)

    def head(self) -> AuditHead:
        """Return the newest row's number and hash.

        Raises
        ------
        AuditBroken
            The head is gone.
        """
        row = self._connection.execute(select(AuditHeadRow.sequence, AuditHeadRow.hash)).first()
        if row is None:
            raise AuditBroken("The audit's head row is gone: the chain's end cannot be checked.")
        return AuditHead(row.sequence, row.hash)

    def checkpoints(self) -> list[Checkpoint]:
        """Return the signed ends of stretches, oldest first."""
        query = select(*AuditCheckpointRow.__table__.columns).order_by(
            AuditCheckpointRow.through_sequence
        )
        return [read(Checkpoint, row) for row in self._connection.execute(query)]

    def rows(self, *, after: int | None = None, batch: int = 5_000) -> Iterator[AuditRecord]:
        """Yield rows in order, a batch at a time, from the lowest number that there is."""
        every = select(*AuditRow.__table__.columns).order_by(AuditRow.sequence).limit(batch)
        while True:
            query = every if after is None else every.where(AuditRow.sequence > after)
            found = self._connection.execute(query).all()
            if not found:
                return
            for row in found:
                yield read(AuditRecord, row)
            after = found[-1].sequence

    def page(
        self,
        *,
        before: int | None = None,
        limit: int = 50,
        household_id: str | None = None,
        alert_ids: Collection[str] = (),
        actor_id: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[AuditRecord]:
        """Return up to `limit` rows, newest first, older than number `before`.

        The rows of a household are those about it alone and those of lists, meetings and files
        that showed it, or an alert about it (`alert_ids`), among others.
        """
        query: Select[tuple[object, ...]] = select(*AuditRow.__table__.columns)
        if before is not None:
            query = query.where(AuditRow.sequence < before)
        if actor_id is not None:
            query = query.where(AuditRow.actor_id == actor_id)
        if action is not None:
            query = query.where(AuditRow.action == action)
        if since is not None:
            query = query.where(AuditRow.at >= since)
        if until is not None:
            query = query.where(AuditRow.at < until)
        query = query.order_by(AuditRow.sequence.desc()).limit(limit)
        # Two questions, since each has an index to go along and their union has none.
        conditions = [true()] if household_id is None else list(_about(household_id, alert_ids))
        found = [
            read(AuditRecord, row)
            for condition in conditions
            for row in self._connection.execute(query.where(condition))
        ]
        return sorted(found, key=lambda row: row.sequence, reverse=True)[:limit]

    def about(
        self, household_id: str, alert_ids: Collection[str] = (), *, batch: int = 2_000
    ) -> Iterator[AuditRecord]:
        """Yield every row about a household or that showed it among others, newest first."""
        before = None
        while found := self.page(
            before=before, limit=batch, household_id=household_id, alert_ids=alert_ids
        ):
            yield from found
            before = found[-1].sequence

    def add_checkpoint(self, checkpoint: Checkpoint, audit: AuditEntry) -> None:
        """Write the signed end of a stretch."""
        self._connection.execute(
            insert(AuditCheckpointRow).values(
                through_sequence=checkpoint.through_sequence,
                through_hash=checkpoint.through_hash,
                rows=checkpoint.rows,
                signed_at=checkpoint.signed_at,
                public_key=checkpoint.public_key,
                signature=checkpoint.signature,
            )
        )
        self.append(audit)

    def stretch_before(
        self, instant: datetime, held: Collection[str] = ()
    ) -> tuple[AuditHead | None, int, int]:
        """Return the last row of the unbroken stretch before an instant, and how many rows.

        The stretch ends at the first row that is not older, whatever comes after it, or that
        tells of a held household. The last number is how many rows are kept for those alone.
        """
        first_young = self._connection.scalar(
            select(func.min(AuditRow.sequence)).where(AuditRow.at >= instant)
        )
        if first_young is None:
            first_young = self.head().sequence
        first_kept = self._first_of(held, first_young)
        count, all_old = self._count_before(first_kept), self._count_before(first_young)
        if not count:
            return None, 0, all_old
        query = select(AuditRow.sequence, AuditRow.hash).where(AuditRow.sequence < first_kept)
        row = self._connection.execute(query.order_by(AuditRow.sequence.desc()).limit(1)).one()
        return AuditHead(row.sequence, row.hash), count, all_old - count

    def _count_before(self, sequence: int) -> int:
        older = select(func.count()).select_from(AuditRow).where(AuditRow.sequence < sequence)
        return self._connection.scalar(older) or 0

    def _first_of(self, held: Collection[str], before: int) -> int:
        """Return the number of the first row that tells of one of some households, or `before`."""
        if not held:
            return before
        known = set(held)
        query = (
            select(AuditRow.sequence, AuditRow.household_id, AuditRow.detail)
            .where(
                AuditRow.sequence < before,
                AuditRow.household_id.is_not(None) | AuditRow.detail.contains('"households":['),
            )
            .order_by(AuditRow.sequence)
        )
        for row in self._connection.execute(query):
            shown = json.loads(row.detail).get("households", ())
            if row.household_id in known or known.intersection(shown):
                return int(row.sequence)
        return before

    def delete_through(self, sequence: int) -> None:
        """Delete the rows up to a checkpoint; the database refuses it without one."""
        self._connection.execute(delete(AuditRow).where(AuditRow.sequence <= sequence))
