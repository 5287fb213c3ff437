"""Case systems that want to hear of changes, and the messages that wait for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, insert, select, update

from earlyflag.core.errors import NotFound
from earlyflag.store.audit import AuditEntry, AuditTrail
from earlyflag.store.records import columns, read
from earlyflag.store.tables import OutboxRow, WebhookRow


@dataclass(frozen=True, slots=True)
class Webhook:
    """A case system's address, the secret that signs what is sent, and the events it wants."""

    webhook_id: str
    address: str
    secret: str
    events: tuple[str, ...]
    is_active: bool
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one case system."""

    message_id: str
    webhook_id: str
    event: str
    body: str
    created_at: datetime
    attempts: int
    due_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How many messages to a webhook were taken, wait to be sent, and were given up."""

    taken: int
    waiting: int
    given_up: int


class Outbox:
    """Webhooks and their messages."""

    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection = connection
        self._audit = audit

    def add_webhook(self, webhook: Webhook, audit: AuditEntry) -> None:
        """Write a webhook."""
        self._connection.execute(insert(WebhookRow).values(**columns(webhook)))
        self._audit.append(audit)

    def webhooks(self) -> list[Webhook]:
        """Return every webhook, the newest first."""
        query = select(*WebhookRow.__table__.columns).order_by(WebhookRow.created_at.desc())
        return [read(Webhook, row) for row in self._connection.execute(query)]

    def end_webhook(self, webhook_id: str, audit: AuditEntry) -> None:
        """Send nothing more to a webhook."""
        statement = update(WebhookRow).where(WebhookRow.webhook_id == webhook_id)
        if self._connection.execute(statement.values(is_active=False)).rowcount == 0:
            raise NotFound("No webhook has this reference.")
        self._audit.append(audit)

    def put(self, messages: Sequence[Message]) -> None:
        """Write messages, in the transaction of the change they tell of."""
        if messages:
            self._connection.execute(insert(OutboxRow), [columns(message) for message in messages])

    def due(self, now: datetime, limit: int, most_attempts: int) -> list[tuple[Message, Webhook]]:
        """Return messages to be sent now, the oldest first, with where to."""
        hooks = {hook.webhook_id: hook for hook in self.webhooks() if hook.is_active}
        query = (
            select(*OutboxRow.__table__.columns)
            .where(
                OutboxRow.delivered_at.is_(None),
                OutboxRow.due_at <= now,
                OutboxRow.attempts < most_attempts,
                OutboxRow.webhook_id.in_(list(hooks)),
            )
            .order_by(OutboxRow.due_at, OutboxRow.message_id)
            .limit(limit)
        )
        found = [read(Message, row) for row in self._connection.execute(query)]
        return [(message, hooks[message.webhook_id]) for message in found]

    def standing(self, most_attempts: int) -> dict[str, Standing]:
        """Return how many messages of each webhook were taken, wait, or were given up."""
        given_up = OutboxRow.delivered_at.is_(None) & (OutboxRow.attempts >= most_attempts)
        query = select(
            OutboxRow.webhook_id,
            func.sum(case((OutboxRow.delivered_at.is_not(None), 1), else_=0)),
            func.sum(case((given_up, 1), else_=0)),
            func.count(),
        ).group_by(OutboxRow.webhook_id)
        return {
            webhook_id: Standing(taken, count - taken - dead, dead)
            for webhook_id, taken, dead, count in self._connection.execute(query)
        }

    def try_again(
        self, webhook_id: str, most_attempts: int, now: datetime, audit: AuditEntry
    ) -> int:
        """Make the messages due that were given up; return how many."""
        statement = update(OutboxRow).where(
            OutboxRow.webhook_id == webhook_id,
            OutboxRow.delivered_at.is_(None),
            OutboxRow.attempts >= most_attempts,
        )
        self._audit.append(audit)
        return self._connection.execute(statement.values(attempts=0, due_at=now)).rowcount

    def settle(
        self, message_id: str, *, attempts: int, delivered_at: datetime | None, due_at: datetime
    ) -> None:
        """Write what became of an attempt to send."""
        statement = update(OutboxRow).where(OutboxRow.message_id == message_id)
        self._connection.execute(
            statement.values(attempts=attempts, delivered_at=delivered_at, due_at=due_at)
        )
