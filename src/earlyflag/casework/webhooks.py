"""Tell case systems of changes: an outbox of signed messages, pseudonyms only.

A message is written in the transaction of the change it tells of, and sent later, again and again
until it is taken. The receiver fetches the rest with its key, so nothing personal is sent.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import Engine

from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.core.clock import Clock
from earlyflag.core.errors import InputInvalid, NotFound
from earlyflag.store.outbox import Message, Standing, Webhook
from earlyflag.store.records import Flag, new_id
from earlyflag.store.units import begin

RAISED, DECIDED, CLOSED = "flag.raised", "flag.decided", "flag.closed"
EVENTS = (RAISED, DECIDED, CLOSED)
SIGNATURE = "Earlyflag-Signature"
MOST_ATTEMPTS = 12
LONGEST_WAIT = timedelta(hours=6)
LONGEST_LABEL = 63
"""Letters of one part of a host's name (RFC 1035)."""

Send = Callable[[str, bytes, Mapping[str, str]], int]
"""Sends a body with headers to an address and returns the status, 0 where nobody answered."""


def make_webhook(desk: Desk, address: str, events: Iterable[str]) -> Webhook:
    """Tell a case system of events from now on; its secret is shown this once.

    Raises
    ------
    InputInvalid
        The address is not https, or an event does not exist.
    """
    check_may(desk.actor, Action.KEEP_KEYS)
    if not _can_be_told(address.strip()):
        raise InputInvalid(
            "Enter an address that begins with https:// and names a host",
            "address",
            expected="an https address in plain letters, without a username or spaces in it",
            got="another address" if address.strip() else "nothing",
        )
    chosen = tuple(dict.fromkeys(events))
    if not chosen or set(chosen) - set(EVENTS):
        raise InputInvalid(
            f"Choose from {', '.join(EVENTS)}.",
            "events",
            expected=", ".join(EVENTS),
            got="others" if chosen else "none",
        )
    webhook = Webhook(
        webhook_id=new_id("X"),
        address=address.strip(),
        secret=secrets.token_urlsafe(32),
        events=chosen,
        is_active=True,
        created_by=desk.actor.actor_id,
        created_at=desk.now,
    )
    entry = desk.entry("webhook_made", subject=webhook.webhook_id)
    desk.unit.outbox.add_webhook(webhook, entry)
    return webhook


def _can_be_told(address: str) -> bool:
    """Answer whether messages can be sent to an address at all."""
    if not address.isascii() or any(mark.isspace() or not mark.isprintable() for mark in address):
        return False
    try:
        parts = urlsplit(address)
        labels = (parts.hostname or "").rstrip(".").split(".")
        return (
            parts.scheme == "https"
            and parts.username is None
            and parts.port != 0
            and all(1 <= len(label) <= LONGEST_LABEL for label in labels)
        )
    except ValueError:  # no port, or no address of the sixth version
        return False


def end_webhook(desk: Desk, webhook_id: str) -> None:
    """Tell a case system nothing more.

    Raises
    ------
    NotFound
        No webhook has this reference.
    """
    check_may(desk.actor, Action.KEEP_KEYS)
    desk.unit.outbox.end_webhook(webhook_id, desk.entry("webhook_ended", subject=webhook_id))


def webhooks(desk: Desk) -> list[tuple[Webhook, Standing]]:
    """Return every webhook with how its messages stand, the newest first."""
    check_may(desk.actor, Action.KEEP_KEYS)
    standing = desk.unit.outbox.standing(MOST_ATTEMPTS)
    none = Standing(0, 0, 0)
    return [(one, standing.get(one.webhook_id, none)) for one in desk.unit.outbox.webhooks()]


def try_again(desk: Desk, webhook_id: str) -> int:
    """Let the messages be sent again that were given up; return how many.

    Raises
    ------
    NotFound
        No webhook has this reference.
    """
    check_may(desk.actor, Action.KEEP_KEYS)
    if webhook_id not in {one.webhook_id for one in desk.unit.outbox.webhooks()}:
        raise NotFound("No webhook has this reference. See: earlyflag webhooks list")
    entry = desk.entry("webhook_retried", subject=webhook_id)
    return desk.unit.outbox.try_again(webhook_id, MOST_ATTEMPTS, desk.now, entry)


def announce(desk: Desk, event: str, flags: Iterable[Flag]) -> None:
    """Put one message a flag and listener in the outbox; never of one that needs safe contact."""
    listeners = [
        hook for hook in desk.unit.outbox.webhooks() if hook.is_active and event in hook.events
    ]
    if not listeners:
        return
    messages = [
        _message(desk, event, flag, hook)
        for flag in flags
        if not flag.safe_contact
        for hook in listeners
    ]
    desk.unit.outbox.put(messages)


def _message(desk: Desk, event: str, flag: Flag, hook: Webhook) -> Message:
    message_id = new_id("M")
    body = {
        "id": message_id,
        "event": event,
        "at": desk.now.isoformat(),
        "flag_id": flag.flag_id,
        "household_id": flag.household_id,
        "state": flag.state.value,
        "version": flag.version,
    }
    return Message(
        message_id=message_id,
        webhook_id=hook.webhook_id,
        event=event,
        body=json.dumps(body, sort_keys=True),
        created_at=desk.now,
        attempts=0,
        due_at=desk.now,
        delivered_at=None,
    )


def sign(secret: str, at: datetime, body: bytes) -> str:
    """Return the signature over the instant and the body, as it stands in the header."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
    return f"t={stamp},v1={digest.hexdigest()}"


def deliver(engine: Engine, send: Send, clock: Clock, *, limit: int = 100) -> tuple[int, int]:
    """Send what is due; return how many were taken and how many will be tried again.

    Each message is signed at the instant at which it is sent: a receiver may refuse old ones.

    A message may arrive twice: its `id` tells. After twelve attempts it is given up,
    until somebody says `try_again`.
    """
    with begin(engine) as unit:
        due = unit.outbox.due(clock.now(), limit, MOST_ATTEMPTS)
    taken = 0
    for message, hook in due:
        now = clock.now()
        body = message.body.encode()
        headers = {"Content-Type": "application/json", SIGNATURE: sign(hook.secret, now, body)}
        status = send(hook.address, body, headers)
        is_taken = 200 <= status < 300
        attempts = message.attempts + 1
        wait = min(timedelta(seconds=30 * 2**attempts), LONGEST_WAIT)
        with begin(engine) as unit:
            unit.outbox.settle(
                message.message_id,
                attempts=attempts,
                delivered_at=now if is_taken else None,
                due_at=now + wait,
            )
        taken += is_taken
    return taken, len(due) - taken
