"""Register versions and promote them.

MLflow keeps parameters, figures, plots and the registered versions with their aliases `champion`
and `challenger` (see `modelling.tracking`). What serving loads is the export folder beside it (see
`modelling.artefact`). Neither holds a row of any household.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from earlyflag.core.clock import Clock, SystemClock
from earlyflag.core.errors import ArtefactDamaged, Misused, NotFound, PromotionRefused, StepMissing
from earlyflag.core.home import Home
from earlyflag.core.terms import ModelInfo
from earlyflag.modelling import artefact
from earlyflag.modelling.boosting import Boosted
from earlyflag.modelling.promotion import Finding, findings
from earlyflag.modelling.served import ServedModel
from earlyflag.modelling.tracking import RESULTS, as_text, track, tracked_versions, tracking
from earlyflag.modelling.training import Fitted

CHAMPION, CHALLENGER = "champion", "challenger"
PROMOTION = "promotion.json"

Render = Callable[[ModelInfo, Mapping[str, Any]], Mapping[str, str]]
"""From a model and its results to the card's files (`card.md`, `card.html`)."""

Compare = Callable[[str, str], Mapping[str, Any] | None]
"""From a version and the champion's to `modelling.against`'s comparison; None if there is none."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A version as it stands in the registry."""

    info: ModelInfo
    folder: Path
    run_id: str
    manifest_sha256: str


def register(
    fitted: Fitted,
    home: Home,
    *,
    groups: Mapping[str, Any] | None = None,
    card: Render | None = None,
    plots: Mapping[str, bytes] | None = None,
    code_version: str = "",
) -> Registered:
    """Write a trained model's export, track its run and register it as the challenger.

    Parameters
    ----------
    groups : the reason groups by key; the package's own if None
    card : renders the model card, which is sealed with the export
    plots : PNG files by name, for the tracked run
    code_version : the commit that trained it, where there is one
    """
    with tracking(home) as client:
        name = fitted.specification.name
        info = replace(fitted.info, version=_next_version(client, home, name))
        folder = home.registry / name / info.version
        extra = {
            RESULTS: as_text(fitted.results),
            **(card(info, fitted.results) if card else {}),
        }
        seal = artefact.write(
            folder,
            info=info,
            model=fitted.model.text if isinstance(fitted.model, Boosted) else fitted.model,
            calibration=fitted.calibration,
            features=fitted.declarations,
            groups=(groups or _declared_groups()).values(),
            golden_rows=fitted.golden_rows,
            golden_log_odds=fitted.golden_log_odds,
            extra=extra,
        )
        run_id = track(client, fitted, info, folder, plots or {}, code_version)
        client.set_registered_model_alias(name, CHALLENGER, info.version)
    artefact.point(home.registry, name, info.version, alias=CHALLENGER, run_id=run_id)
    return Registered(info, folder, run_id, seal)


def versions(home: Home, name: str) -> tuple[str, ...]:
    """Return the registered versions of a model, oldest first."""
    folder = home.registry / name
    found = [each.name for each in folder.glob("*") if (each / artefact.MANIFEST).is_file()]
    return tuple(sorted(found, key=int))


def resolve(home: Home, name: str, version: str) -> str:
    """Return the version that `latest`, `champion`, `challenger` or a number stands for.

    Raises
    ------
    StepMissing
        Nothing is registered yet.
    NotFound
        There is no such version.
    """
    known = versions(home, name)
    if not known:
        raise StepMissing(f"No version of {name} is registered yet. Run earlyflag train.")
    if version == "latest":
        return known[-1]
    if version in (CHAMPION, CHALLENGER):
        return artefact.pointed(home.registry, name, alias=version).version
    number = version.removeprefix(f"{name}/")
    if number not in known:
        raise NotFound(
            f"{name} has no version {number[:20]}. Registered: {', '.join(known[-10:])}."
        )
    return number


def results(home: Home, name: str, version: str) -> dict[str, Any]:
    """Return what training found of a version, read after its hashes were checked."""
    files = artefact.verify(home.registry / name / resolve(home, name, version))
    return dict(json.loads(files[RESULTS]))


def info_of(home: Home, name: str, version: str) -> ModelInfo:
    """Return what serving knows of a version, read after its hashes were checked."""
    return artefact.parse(artefact.verify(home.registry / name / resolve(home, name, version))).info


def champion(home: Home, name: str, *, rehearse: bool = True) -> ServedModel:
    """Return the model that serves, verified and rehearsed.

    Raises
    ------
    StepMissing
        No version was promoted yet.
    """
    return artefact.load_pointed(home.registry, name, rehearse=rehearse)


def promote(
    home: Home,
    name: str,
    version: str,
    *,
    reason: str,
    by: str,
    override_by: str | None = None,
    card: Render | None = None,
    compare: Compare | None = None,
    clock: Clock | None = None,
) -> tuple[Finding, ...]:
    """Make a version the champion if the gate lets it pass, and return what the gate found.

    Parameters
    ----------
    reason : why, in a sentence; it stands on the card
    by : who promotes
    override_by : a second person who lets a refused model serve all the same
    card : renders the card again, now with the promotion on it
    compare : sets the version beside the champion, where another served when it was trained

    Raises
    ------
    PromotionRefused
        The gate found the model unfit and nobody overrode it.
    Misused
        The reason is blank, or the override comes from the same person.
    """
    if not reason.strip() or not by.strip():
        raise Misused("A promotion needs a reason and the name of who decides it.")
    if override_by is not None and _person(override_by) in ("", _person(by)):
        raise Misused("An override needs a second person: name somebody else than who promotes.")
    number = resolve(home, name, version)
    folder = home.registry / name / number
    files = artefact.verify(folder)
    found = json.loads(files[RESULTS])
    serving = _champion_results(home, name, but=number)
    paired = found.setdefault("against_champion", {})
    if serving and "damaged" not in serving and compare and serving["version"] not in paired:
        other = compare(number, serving["version"])
        paired.update({serving["version"]: other} if other else {})
    gate = findings(found, card=files.get("card.md", b"").decode() or None, champion=serving)
    refused = [each for each in gate if not each.passes]
    if refused and override_by is None:
        raise PromotionRefused(
            f"{name}/{number} was not promoted. "
            + " ".join(each.sentence for each in refused)
            + " Train again, or let a second person override (--override-by)."
        )
    record = {
        "version": number,
        "reason": reason,
        "by": by,
        "overridden_by": override_by if refused else None,
        "promoted_at": (clock or SystemClock()).now().isoformat(timespec="seconds"),
        "findings": [each.as_json() for each in gate],
    }
    info = artefact.parse(files).info
    extra = {PROMOTION: as_text(record)}
    if card:
        extra.update(card(info, {**found, "promotion": record}))
    artefact.add(folder, extra)
    if _pointed(home, name, CHALLENGER) == number:
        artefact.point(home.registry, name, number, alias=CHALLENGER)
    with tracking(home) as client:
        client.set_registered_model_alias(name, CHAMPION, number)
        for key in ("reason", "by", "overridden_by"):
            client.set_model_version_tag(name, number, f"promotion_{key}", str(record[key]))
    artefact.point(home.registry, name, number, alias=CHAMPION, reason=reason, by=by)
    return gate


def _person(name: str) -> str:
    """Return a name as it is compared: capitals and spaces make nobody a second person."""
    return " ".join(name.split()).casefold()


def _next_version(client: Any, home: Home, name: str) -> str:
    exported = [int(each) for each in versions(home, name)]
    return str(max([0, *tracked_versions(client, name), *exported]) + 1)


def _champion_results(home: Home, name: str, *, but: str) -> dict[str, Any] | None:
    """Return the champion's version and results, unless there is none or it is `but`.

    One that is damaged must not keep its successor out: it has a sentence instead of results.
    """
    number = _pointed(home, name, CHAMPION)
    if number is None or number == but:
        return None
    try:
        return {"version": number, **results(home, name, number)}
    except ArtefactDamaged as error:
        return {"version": number, "damaged": str(error)}


def _pointed(home: Home, name: str, alias: str) -> str | None:
    try:
        return artefact.pointed(home.registry, name, alias=alias).version
    except StepMissing:
        return None


def _declared_groups() -> Mapping[str, Any]:
    from earlyflag.features.groups import GROUPS

    return GROUPS
