"""The generated reference pages: commands, settings, tables, features, roles, the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from earlyflag.cli.app import app
from earlyflag.core.settings import Settings

COMMANDS_HEAD = """\
# Commands

Generated from the program itself by `make docs`. Every command takes `--home` before its name
(`EARLYFLAG_HOME`, default `data/`), says what it wrote on standard error, and ends with the exit
codes of `core/errors.py`: 0 done, 2 misused, 3 wrong home, 4 an earlier step is missing, 5 port
taken.

"""
SETTINGS_HEAD = """\
# Settings

Generated from `core/settings.py` by `make docs`. A value comes, strongest first, from the
environment (`EARLYFLAG_CAPACITY=40`, nested with two underscores), from `settings.toml` in the home
folder, and from the default here. A key that is not listed is refused.

"""
LAWFUL_BASIS = """
## A lawful basis

A table without one is not read. In `settings.toml`, one section a table:

```toml
[lawful_basis.council_tax_accounts]
gateway = "the statute or agreement"
approved_by = "the role that approved it"
approved_on = 2026-04-01
impact_assessment = "its reference"
```
"""


@app.command(hidden=True)
def reference(
    folder: Annotated[Path, typer.Argument(help="Folder of the reference pages.")],
) -> None:
    """Write the generated reference pages anew."""
    from earlyflag.core.home import write_atomically

    for name, text in pages().items():
        write_atomically(folder / name, text)
        (folder / name).chmod(0o644)
        typer.echo(f"written: {name}")


def pages() -> dict[str, str]:
    """Return every generated page by file name."""
    import json

    from earlyflag.casework.reference import roles_page
    from earlyflag.features import catalogue
    from earlyflag.sources.dictionary import dictionary
    from earlyflag.web.api.reference import markdown

    return {
        "commands.md": commands_page(),
        "settings.md": settings_page(),
        "data-dictionary.md": dictionary(),
        "features.md": catalogue.as_markdown(),
        "features.json": json.dumps(catalogue.as_json(), indent=1) + "\n",
        "roles.md": roles_page(),
        "api.md": markdown(),
    }


def commands_page() -> str:
    """Return every command with its arguments and options, as Markdown."""
    from earlyflag.cli import commands  # noqa: F401  registers the commands

    return COMMANDS_HEAD + "\n".join(_command(typer.main.get_command(app), "earlyflag"))


def _command(command: Any, name: str) -> Iterator[str]:
    shown = not getattr(command, "hidden", False)
    if shown and name != "earlyflag":
        yield f"## `{name}`\n"
        yield f"{(command.help or '').strip()}\n"
        rows = list(_parameters(command))
        if rows:
            yield "| argument or option | default | what |\n|---|---|---|"
            yield "\n".join(rows) + "\n"
    for sub_name, sub in sorted(getattr(command, "commands", {}).items()):
        yield from _command(sub, f"{name} {sub_name}")


def _parameters(command: Any) -> Iterator[str]:
    for one in command.params:
        if one.name == "help":
            continue
        is_argument = one.param_type_name == "argument"
        shown = one.name.upper() if is_argument else ", ".join([*one.opts, *one.secondary_opts])
        default = "" if one.required or one.default in (None, False) else f"`{one.default}`"
        words = getattr(one, "help", None) or ""
        yield f"| `{shown}` | {'needed' if one.required else default} | {words} |"


def settings_page() -> str:
    """Return every setting with its type and default, as Markdown."""
    rows = "\n".join(["| key | default | environment |", "|---|---|---|", *_settings(Settings, "")])
    offers = "\n".join(
        f"- `{offer.code}`: {offer.name}" for offer in Settings.model_fields["offers"].default
    )
    return f"{SETTINGS_HEAD}{rows}\n{LAWFUL_BASIS}\n## Offers by default\n\n{offers}\n"


def _settings(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        default = field.default
        key = f"{prefix}{name}"
        if isinstance(default, BaseModel):
            yield from _settings(type(default), f"{key}.")
            continue
        if default is PydanticUndefined or name == "offers":
            default = "see below"
        variable = "EARLYFLAG_" + key.upper().replace(".", "__")
        yield f"| `{key}` | {_plain(default)} | `{variable}` |"


def _plain(value: Any) -> str:
    return "" if value in (None, "") else f"`{value}`" if value != "see below" else str(value)
