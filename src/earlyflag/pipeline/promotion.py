"""Promotion is a decision: the gate, the champion, and two versions side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earlyflag.core.errors import EarlyflagError
from earlyflag.core.home import write_atomically
from earlyflag.core.settings import Settings
from earlyflag.modelling import artefact, registry
from earlyflag.reporting import card

if TYPE_CHECKING:
    from earlyflag.modelling.promotion import Finding


def promote(
    settings: Settings,
    model_name: str,
    version: str,
    *,
    reason: str,
    by: str,
    override_by: str | None = None,
) -> tuple[Finding, ...]:
    """Make a version the champion and write the decision on its card; see `registry.promote`."""
    from earlyflag.pipeline.training import beside_champion

    return registry.promote(
        settings.home_folder.open(),
        model_name,
        version,
        reason=reason,
        by=by,
        override_by=override_by,
        card=card.render,
        compare=partial(beside_champion, settings, model_name),
    )


def publish_card(settings: Settings, model_name: str, version: str, folder: Path) -> Path:
    """Write a version's card, in Markdown and HTML, where people keep specifications.

    The registry keeps the sealed one; this copy is for reading and for version control.

    Returns
    -------
    the Markdown file, `<model>-<version>.md` in `folder`
    """
    home = settings.home_folder
    number = registry.resolve(home, model_name, version)
    files = artefact.verify(home.registry / model_name / number)
    for name in ("card.md", "card.html"):
        suffix = name.removeprefix("card")
        write_atomically(folder / f"{model_name}-{number}{suffix}", files[name])
        (folder / f"{model_name}-{number}{suffix}").chmod(0o644)
    return folder / f"{model_name}-{number}.md"


def champion_version(settings: Settings, model_name: str) -> str | None:
    """Return the champion's version, or None while there is none."""
    try:
        return registry.resolve(settings.home_folder.open(), model_name, registry.CHAMPION)
    except EarlyflagError:
        return None


def listing(settings: Settings, model_name: str) -> Iterator[Sequence[Any]]:
    """Yield each registered version with its family, training end and alias."""
    home = settings.home_folder.open()
    aliases: dict[str, list[str]] = {}
    for alias in (registry.CHAMPION, registry.CHALLENGER):
        try:
            aliases.setdefault(registry.resolve(home, model_name, alias), []).append(alias)
        except EarlyflagError:
            continue
    for version in registry.versions(home, model_name):
        info = registry.info_of(home, model_name, version)
        yield version, info.family, info.trained_to, ", ".join(aliases.get(version, []))
