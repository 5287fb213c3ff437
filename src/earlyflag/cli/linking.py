"""Link records to households, and tell how well it went."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from earlyflag.cli.app import app, settings_of
from earlyflag.cli.printing import print_table
from earlyflag.cli.progress import TerminalProgress
from earlyflag.core.clock import SystemClock, london_day

link_app = typer.Typer(
    help="Link records to people to households over time.", invoke_without_command=True
)
app.add_typer(link_app, name="link")


@link_app.callback()
def link(context: typer.Context) -> None:
    """Link the home's records for every cut-off of its data."""
    if context.invoked_subcommand is None:
        from earlyflag.pipeline import steps

        steps.link(settings_of(context), TerminalProgress())


@link_app.command("quality")
def quality(
    context: typer.Context,
    truth: Annotated[
        Path | None, typer.Option(help="The truth/ folder of a synthetic borough.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    chart: Annotated[
        Path | None, typer.Option(help="Write the match-weight chart here (SVG).")
    ] = None,
) -> None:
    """Show precision and recall against a truth, duties that link by group, and what cannot."""
    from earlyflag import linkage
    from earlyflag.core.home import write_atomically
    from earlyflag.linkage import parameters
    from earlyflag.pipeline.steps import linked

    settings = settings_of(context)
    tables, households = linked(settings.home_folder.open())
    found = linkage.quality(tables, households, truth, smallest_group=settings.disclosure_limit)
    if chart is not None:
        write_atomically(chart, linkage.match_weight_chart(parameters.packaged()))
    if as_json:
        typer.echo(json.dumps(found, indent=2, default=str))
        return
    print_table(("figure", "value"), list(_flat(found)))


@link_app.command("sample")
def sample(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="CSV file to write; it holds personal data.")],
    size: Annotated[int, typer.Option(help="How many pairs.")] = 100,
    seed: Annotated[int, typer.Option(help="The same seed draws the same pairs.")] = 1,
) -> None:
    """Write pairs of records for a clerk to judge; nobody who is suppressed is among them."""
    from earlyflag import linkage
    from earlyflag.core.home import write_atomically
    from earlyflag.pipeline.scoring import suppressed_households
    from earlyflag.pipeline.steps import linked

    settings = settings_of(context)
    tables, households = linked(settings.home_folder.open())
    clock = SystemClock()
    withheld = suppressed_households(settings, clock=clock)
    pairs = linkage.sample(
        tables, households, size=size, seed=seed, on=london_day(clock.now()), withheld=withheld
    )
    write_atomically(out, pairs.to_csv(index=False))
    out.chmod(0o600)
    typer.echo(f"{len(pairs)} pairs written to {out}, readable by you alone")


def _flat(content: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested figures as lines, each with the path to it."""
    if isinstance(content, dict):
        if "group" in content:
            name = f"{prefix}: {content['group']}"
            rest = {key: value for key, value in content.items() if key != "group"}
            return [line for key, value in rest.items() for line in _flat(value, f"{name}, {key}")]
        return [
            line
            for key, value in content.items()
            for line in _flat(value, f"{prefix}, {key}" if prefix else str(key).replace("_", " "))
        ]
    if isinstance(content, list):
        return [line for each in content for line in _flat(each, prefix)]
    return [(prefix, "not known" if content is None else content)]
