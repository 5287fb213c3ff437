"""The `earlyflag` program: its options for every command, and the one place errors end."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from earlyflag import __version__
from earlyflag.core.errors import EarlyflagError
from earlyflag.core.settings import Settings, load_settings

app = typer.Typer(
    name="earlyflag",
    help="Flag households early, say why, offer help, and prove whether it helped.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@dataclass(frozen=True, slots=True)
class Door:
    """What every command is handed: the settings, built once."""

    settings: Settings


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"earlyflag {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(help="Folder that holds everything. Default: $EARLYFLAG_HOME, else data/."),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Build the settings before any command runs."""
    context.obj = Door(load_settings(home))


def settings_of(context: typer.Context) -> Settings:
    """Return the settings that were built at the door."""
    door = context.obj
    assert isinstance(door, Door)
    return door.settings


def home_first(arguments: list[str]) -> list[str]:
    """Return the arguments with `--home` before the command, wherever it was written."""
    for place, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--home" and place + 1 < len(arguments):
            rest = [*arguments[:place], *arguments[place + 2 :]]
            return ["--home", arguments[place + 1], *rest]
        if argument.startswith("--home="):
            return [argument, *arguments[:place], *arguments[place + 1 :]]
    return arguments


def run() -> None:
    """Run a command; an error the project knows becomes one line and its exit code."""
    from earlyflag.cli import commands  # noqa: F401  registers the commands

    try:
        app(args=home_first(sys.argv[1:]), standalone_mode=True)
    except EarlyflagError as error:
        typer.echo(f"earlyflag: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of a pipe has gone (for example `| head`); there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
