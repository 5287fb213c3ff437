"""The commands that send: against a real server on this machine, down to the signature."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from earlyflag import casework
from earlyflag.casework import DecisionForm
from earlyflag.casework.webhooks import DECIDED, MOST_ATTEMPTS, SIGNATURE
from earlyflag.cli import commands  # noqa: F401
from earlyflag.cli.app import app
from earlyflag.cli.webhooks import send
from earlyflag.core.errors import NotFound
from earlyflag.store.outbox import Webhook
from earlyflag.store.records import new_id
from earlyflag.store.terms import DecisionCode
from tests.office import Office


@dataclass
class Receiver:
    """A case system on this machine: answers with `status` and keeps what came."""

    address: str = ""
    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append((dict(self.headers), body))
            self.send_response(made.status)
            if made.status in (301, 302):
                self.send_header("Location", f"{made.address}/elsewhere")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def told(busy_office: Office, receiver: Receiver) -> Webhook:
    """A case system that is owed one message, written as it is: a made one must be https."""
    with busy_office.desk("admin") as desk:
        hook = Webhook(new_id("X"), receiver.address, "s3cret", (DECIDED,), True, "admin", desk.now)
        desk.unit.outbox.add_webhook(hook, desk.entry("webhook_made", subject=hook.webhook_id))
    flag = busy_office.take("reviewer", 1)
    with busy_office.desk("reviewer") as desk:
        form = DecisionForm(DecisionCode.DECLINED, "Ada said no.")
        casework.decide(desk, flag.flag_id, flag.version, form)
    return hook


def test_a_message_arrives_over_http_once_with_a_signature_that_its_receiver_can_check(
    busy_office: Office, receiver: Receiver, told: Webhook
) -> None:
    clock = busy_office.clock
    assert casework.deliver(busy_office.engine, send, clock) == (1, 0)
    assert casework.deliver(busy_office.engine, send, clock) == (0, 0)
    ((headers, body),) = receiver.got
    parts = dict(part.split("=") for part in headers[SIGNATURE].split(","))
    signed = hmac.new(told.secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256)
    assert parts["v1"] == signed.hexdigest()
    assert json.loads(body)["event"] == DECIDED
    assert b"Ada" not in body


@pytest.mark.parametrize("status", [302, 400, 503])
def test_what_is_not_taken_waits_longer_each_time_and_a_redirect_is_not_followed(
    status: int, busy_office: Office, receiver: Receiver, told: Webhook
) -> None:
    receiver.status = status
    clock = busy_office.clock
    assert casework.deliver(busy_office.engine, send, clock) == (0, 1)
    clock.advance(timedelta(seconds=59))
    assert casework.deliver(busy_office.engine, send, clock) == (0, 0)
    clock.advance(timedelta(seconds=1))
    assert casework.deliver(busy_office.engine, send, clock) == (0, 1)
    clock.advance(timedelta(seconds=119))
    assert casework.deliver(busy_office.engine, send, clock) == (0, 0)
    assert len(receiver.got) == 2


def test_what_was_given_up_is_counted_and_sent_again_when_asked(
    busy_office: Office, receiver: Receiver, told: Webhook
) -> None:
    receiver.status = 503
    for _ in range(MOST_ATTEMPTS + 2):
        casework.deliver(busy_office.engine, send, busy_office.clock)
        busy_office.clock.advance(timedelta(hours=7))
    assert len(receiver.got) == MOST_ATTEMPTS
    with busy_office.desk("admin") as desk:
        ((_, standing),) = casework.webhooks(desk)
        assert (standing.taken, standing.waiting, standing.given_up) == (0, 0, 1)
        assert casework.try_again(desk, told.webhook_id) == 1
    receiver.status = 200
    assert casework.deliver(busy_office.engine, send, busy_office.clock) == (1, 0)
    with busy_office.desk("admin") as desk:
        assert casework.webhooks(desk)[0][1].taken == 1
    with pytest.raises(NotFound), busy_office.desk("admin") as desk:
        casework.try_again(desk, "XNONE")
    assert "webhook_retried" in busy_office.actions()


def test_an_address_where_nobody_listens_is_no_error() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert send(f"http://127.0.0.1:{port}/", b"{}", {}) == 0


@pytest.mark.parametrize(
    "answer",
    [b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"x" * 70_000],
    ids=["no status", "too many headers", "too long a line"],
)
def test_an_answer_that_is_not_http_is_a_message_that_was_not_taken(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def receive() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(65_536)
                with contextlib.suppress(OSError):  # whoever reads may hang up in the middle
                    peer.sendall(answer)

        thread = threading.Thread(target=receive)
        thread.start()
        assert send(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {}) == 0
        thread.join()


@pytest.mark.parametrize(
    "address", [f"https://{'a' * 80}.example/", "https://cases.example:abc/", "https://a b/é"]
)
def test_an_address_that_no_request_can_carry_is_a_message_that_was_not_taken(address: str) -> None:
    assert send(address, b"{}", {}) == 0


def test_one_receiver_that_breaks_keeps_nobody_else_waiting(
    busy_office: Office, receiver: Receiver, told: Webhook
) -> None:
    with busy_office.desk("admin") as desk:
        broken = f"https://{'a' * 80}.example/"
        hook = Webhook("X0", broken, "s3cret", (DECIDED,), True, "admin", desk.now)
        desk.unit.outbox.add_webhook(hook, desk.entry("webhook_made", subject=hook.webhook_id))
    flag = busy_office.take("reviewer", 2)
    with busy_office.desk("reviewer") as desk:
        form = DecisionForm(DecisionCode.DECLINED, "Said no.")
        casework.decide(desk, flag.flag_id, flag.version, form)
    assert casework.deliver(busy_office.engine, send, busy_office.clock) == (2, 1)
    assert len(receiver.got) == 2


def test_the_commands_add_list_deliver_and_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARLYFLAG_HOME", str(tmp_path / "home"))
    run = CliRunner()

    def said(*words: str) -> str:
        result = run.invoke(app, [*words])
        assert result.exit_code == 0, result.output
        return result.output

    said("database", "upgrade")
    added = said("webhooks", "add", "https://cases.example/", "--event", "flag.closed")
    reference = added.split()[1].rstrip(".")
    assert reference in said("webhooks", "list")
    assert "0 messages were taken" in said("webhooks", "deliver")
    assert "0 messages are due again" in said("webhooks", "retry", reference)
    said("webhooks", "end", reference)
    assert "ended" in said("webhooks", "list")
