"""The demo: from nothing to explained flags on a page, in one command."""

from __future__ import annotations

from typing import Annotated

import typer

from earlyflag.cli.app import app, settings_of
from earlyflag.cli.progress import TerminalProgress
from earlyflag.cli.serving import DEFAULT_MODEL, LOOPBACK, build_app, check_port, listen
from earlyflag.core.clock import SystemClock


@app.command()
def demo(
    context: typer.Context,
    households: Annotated[int, typer.Option(help="Size of the synthetic borough.")] = 10_000,
    months: Annotated[int, typer.Option(help="Length of its history.")] = 60,
    port: Annotated[int, typer.Option(help="Port of the site.")] = 8000,
    serve: Annotated[bool, typer.Option(help="Serve the site at the end.")] = True,
) -> None:
    """Write a synthetic borough, do every step on it, and serve the site."""
    from earlyflag.pipeline import demonstration

    settings = settings_of(context)
    if serve:
        check_port(LOOPBACK, port)
    shown = demonstration.run(
        settings,
        TerminalProgress(),
        households=households,
        months=months,
        model_name=DEFAULT_MODEL,
        clock=SystemClock(),
    )
    typer.echo(f"{shown.flagged} flags are raised for {shown.as_of}. Model card: {shown.card}")
    if not serve:
        return
    site = build_app(settings, LOOPBACK, port, DEFAULT_MODEL)
    typer.echo(f"\nThe site: http://{LOOPBACK}:{port}    (Ctrl-C stops it)")
    typer.echo("Demo sign-ins, for this machine only and new at every start:")
    for username, password in shown.sign_ins.items():
        typer.echo(f"  {username:<10} {password}")
    listen(settings, site, LOOPBACK, port)
