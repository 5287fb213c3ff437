"""Promotion is a decision: the gate, the champion, and two versions side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from earlyflag.core.errors import EarlyflagError
from earlyflag.core.settings import Settings
from earlyflag.modelling import registry
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
    return registry.promote(
        settings.home_folder.open(),
        model_name,
        version,
        reason=reason,
        by=by,
        override_by=override_by,
        card=card.render,
    )


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
