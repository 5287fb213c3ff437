"""Commands that tell case systems of changes: who is told, and the sending itself."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from earlyflag.cli.app import app, settings_of
from earlyflag.cli.keeping import open_desk, open_engine
from earlyflag.cli.printing import print_table
from earlyflag.core.clock import SystemClock

webhooks_app = typer.Typer(help="Tell case systems of changes to flags.", no_args_is_help=True)
app.add_typer(webhooks_app, name="webhooks")

ANSWER_SECONDS = 10
Reference = Annotated[str, typer.Argument(help="The webhook's reference, as in the list.")]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A message goes to the address that somebody approved, nowhere else."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        """Follow nothing: the redirect is an answer like any other."""
        return


_OPENER = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler())


def send(address: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post a body and return the status; 0 where nobody answered in time, or not in HTTP."""
    request = urllib.request.Request(address, body, dict(headers), method="POST")  # noqa: S310
    try:
        with _OPENER.open(request, timeout=ANSWER_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except (OSError, http.client.HTTPException, ValueError):
        # ValueError: a name or a path that no request can carry; the rest: no answer that is HTTP
        return 0


@webhooks_app.command("add")
def add_webhook(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="Where to post, beginning with https://")],
    event: Annotated[
        list[str], typer.Option(help="flag.raised, flag.decided or flag.closed; repeatable.")
    ],
) -> None:
    """Tell a case system of events from now on; print the secret that signs, this once."""
    from earlyflag import casework

    with open_desk(settings_of(context), "webhooks") as desk:
        made = casework.make_webhook(desk, address, event)
    typer.echo(f"Webhook {made.webhook_id}. Its secret, shown this once: {made.secret}")


@webhooks_app.command("end")
def end_webhook(context: typer.Context, reference: Reference) -> None:
    """Tell a case system nothing more."""
    from earlyflag import casework

    with open_desk(settings_of(context), "webhooks") as desk:
        casework.end_webhook(desk, reference)
    typer.echo("It is told nothing more.")


@webhooks_app.command("list")
def list_webhooks(context: typer.Context) -> None:
    """Show who is told of what, how many messages wait, and how many were given up."""
    from earlyflag import casework

    with open_desk(settings_of(context), "webhooks") as desk:
        known = casework.webhooks(desk)
    rows = [
        (
            hook.webhook_id,
            hook.address,
            ", ".join(hook.events),
            "yes" if hook.is_active else "ended",
            standing.taken,
            standing.waiting,
            standing.given_up,
        )
        for hook, standing in known
    ]
    print_table(("webhook", "address", "events", "told", "taken", "waiting", "given up"), rows)


@webhooks_app.command("retry")
def retry_webhook(context: typer.Context, reference: Reference) -> None:
    """Let the messages be sent again that were given up."""
    from earlyflag import casework

    with open_desk(settings_of(context), "webhooks") as desk:
        count = casework.try_again(desk, reference)
    typer.echo(f"{count} messages are due again. Run: earlyflag webhooks deliver")


@webhooks_app.command("deliver")
def deliver_messages(
    context: typer.Context,
    every: Annotated[
        int | None, typer.Option(help="Stay, and send what is due every so many seconds.", min=1)
    ] = None,
) -> None:
    """Send what is due; what is not taken is sent again later, twelve times at most."""
    from earlyflag import casework

    engine = open_engine(settings_of(context))
    while True:
        taken, later = casework.deliver(engine, send, SystemClock())
        if taken or later or every is None:
            typer.echo(f"{taken} messages were taken, {later} will be tried again.")
        if every is None:
            return
        time.sleep(every)
