"""The model artefact that serving loads: a folder of text files sealed by SHA-256.

    <registry>/<name>/<version>/
        manifest.json     what the model is, and the hash of every file
        manifest.sha256   the hash of manifest.json
        model.txt         LightGBM's text, or model.json: the coefficients of a logistic model
        calibration.json  slope and intercept on the log-odds
        features.json     the features in column order and the reason groups, with their words
        golden.json       rows and the log-odds that the training library gave them
        ...               further files, such as the model card
    <registry>/<name>/champion.json   the version that serves, with its manifest's hash

Loading goes in this order: hash every file, reproduce the golden rows in a child process with a
time limit, and only then read the model in this process. See
`docs/explanation/serving-artefacts.md`.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from earlyflag.core.errors import ArtefactDamaged, Conflict, Misused, StepMissing
from earlyflag.core.home import read_regular, write_atomically, write_json_atomically
from earlyflag.core.terms import ModelInfo
from earlyflag.modelling.linear import SplineLogistic
from earlyflag.modelling.served import Calibration, FeatureFacts, GroupFacts, ServedModel
from earlyflag.modelling.trees import read_lightgbm

FORMAT = 1
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
GOLDEN_TOLERANCE = 1e-9
"""How far a golden row's log-odds may stand from what the training library gave it."""

GOLDEN_SECONDS = 60.0
"""How long the child process may take to reproduce the golden rows."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which version holds an alias (`champion` or `challenger`), and its manifest's hash."""

    name: str
    version: str
    manifest_sha256: str


def write(
    folder: Path,
    *,
    info: ModelInfo,
    model: str | SplineLogistic,
    calibration: Calibration,
    features: Iterable[Any],
    groups: Iterable[Any],
    golden_rows: np.ndarray,
    golden_log_odds: np.ndarray,
    extra: Mapping[str, str | bytes] | None = None,
) -> str:
    """Write an artefact into a new folder and return the hash of its manifest.

    Parameters
    ----------
    folder : the version's folder; must not exist
    model : LightGBM's `model_to_string()`, or the logistic model's numbers
    features : the catalogue's declarations (or `FeatureFacts`), in the order of `info.features`
    groups : the declarations (or `GroupFacts`) of the reason groups that the features name
    golden_rows : shape (n, n_features); NaN is a missing value
    golden_log_odds : shape (n,); calibrated, computed by the training library, not by this module
    extra : further files by name, sealed with the rest

    Raises
    ------
    Conflict
        The folder exists: a version never changes.
    ArtefactDamaged
        What was written does not give the golden rows their log-odds.
    """
    if folder.exists():
        raise Conflict(f"Version {folder.name} of {info.name} exists already. Register a new one.")
    facts = tuple(feature_facts(feature) for feature in features)
    used = {fact.group for fact in facts}
    spoken = tuple(group for group in map(group_facts, groups) if group.key in used)
    files = {
        "calibration.json": _json(asdict(calibration)),
        "features.json": _json(
            {
                "features": [asdict(fact) for fact in facts],
                "groups": [asdict(group) for group in spoken],
            }
        ),
        "golden.json": _json(
            {
                "rows": [[None if np.isnan(v) else float(v) for v in row] for row in golden_rows],
                "log_odds": [float(value) for value in golden_log_odds],
            }
        ),
        **{name: _bytes(content) for name, content in (extra or {}).items()},
    }
    if isinstance(model, str):
        files["model.txt"] = model.encode()
    else:
        files["model.json"] = _json(model.as_json())
    manifest = _manifest(info, files)
    reproduce_golden(parse({**files, MANIFEST: manifest}), files["golden.json"])
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    for name, content in files.items():
        write_atomically(draft / name, content)
    seal = _seal(draft, manifest)
    draft.rename(folder)
    return seal


def add(folder: Path, extra: Mapping[str, str | bytes]) -> str:
    """Add files such as the model card to an artefact and return its manifest's new hash.

    What serving reads cannot be replaced. A pointer to this version must be written again.
    """
    old = verify(folder)
    serving = {"model.txt", "model.json", "calibration.json", "features.json", "golden.json"}
    refused = set(extra) & (serving | {MANIFEST, SEAL})
    if refused:
        raise Misused(f"{', '.join(sorted(refused))} of a registered version cannot be replaced.")
    added = {name: _bytes(content) for name, content in extra.items()}
    for name, content in added.items():
        write_atomically(folder / name, content)
    info = _info(json.loads(old.pop(MANIFEST))["model"])
    return _seal(folder, _manifest(info, {**old, **added}))


def verify(folder: Path, manifest_sha256: str | None = None) -> dict[str, bytes]:
    """Return every file of an artefact by name, after its hash was found right.

    Nothing is parsed before it was hashed: the seal vouches for the manifest, the manifest for
    the files. What the manifest does not list is never read.

    Raises
    ------
    ArtefactDamaged
        A file is missing, or differs from what was sealed or from `manifest_sha256`.
    """
    manifest = _read(folder, MANIFEST)
    seal = hashlib.sha256(manifest).hexdigest()
    sealed = _read(folder, SEAL)
    if sealed != f"{seal}\n".encode() or (manifest_sha256 or seal) != seal:
        raise ArtefactDamaged(
            f"The manifest of model version {folder.name} is not the one that was sealed. "
            "Restore the folder from the registry's backup or register the model again."
        )
    files = {MANIFEST: manifest}
    for name, digest in (listed := _listed(folder, manifest)).items():
        files[name] = _read(folder, name)
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise ArtefactDamaged(
                f"{name} of model version {folder.name} differs from its manifest "
                f"(1 of {len(listed)} files checked so far is wrong). "
                "Restore the folder from the registry's backup or register the model again."
            )
    return files


def load(
    folder: Path,
    *,
    manifest_sha256: str | None = None,
    rehearse: bool = True,
    time_limit_seconds: float = GOLDEN_SECONDS,
) -> ServedModel:
    """Return the model of an artefact: hashed, rehearsed in a child process, then read.

    Parameters
    ----------
    manifest_sha256 : the hash that a pointer promised; None trusts the folder's own seal
    rehearse : whether a child process reproduces the golden rows first

    Raises
    ------
    ArtefactDamaged
        A hash differs, the child failed or ran out of time, or the model cannot be read.
    """
    files = verify(folder, manifest_sha256)
    if rehearse:
        rehearse_in_child(folder, time_limit_seconds)
    return parse(files)


def parse(files: Mapping[str, bytes]) -> ServedModel:
    """Return the model that verified files describe.

    Raises
    ------
    ArtefactDamaged
        The files do not fit together or are of another format.
    """
    try:
        manifest = json.loads(files[MANIFEST])
        info = _info(manifest["model"])
        words = json.loads(files["features.json"])
        features = tuple(
            FeatureFacts(**{**fact, "sources": tuple(fact["sources"])})
            for fact in words["features"]
        )
        groups = tuple(
            GroupFacts(**{**group, "leads": tuple(group["leads"])}) for group in words["groups"]
        )
        calibration = Calibration(**json.loads(files["calibration.json"]))
        known_format = manifest["format"] == FORMAT
        text = files.get("model.txt", b"").decode(errors="replace")
        estimator: Any = (
            read_lightgbm(text)
            if text
            else SplineLogistic.from_json(json.loads(files["model.json"]))
        )
    except (LookupError, TypeError, ValueError) as error:
        raise ArtefactDamaged(
            f"The artefact cannot be read ({type(error).__name__}): it was written by another "
            "version of the software. Register the model again."
        ) from error
    width = estimator.n_features if text else len(estimator.terms)
    in_order = tuple(fact.name for fact in features) == info.features
    if not (known_format and in_order and width == len(features)):
        raise ArtefactDamaged(
            f"Model {info.full_version}: manifest, feature list ({len(features)}) and "
            f"model ({width} features) do not fit together."
        )
    if {fact.group for fact in features} != {group.key for group in groups}:
        raise ArtefactDamaged(f"Model {info.full_version}: a feature has no reason group.")
    digest = hashlib.sha256(files[MANIFEST]).hexdigest()
    return ServedModel(info, estimator, calibration, features, groups, digest, text)


def reproduce_golden(model: ServedModel, golden: bytes) -> None:
    """Check that a model gives its golden rows their log-odds, and its reasons add up to them.

    Raises
    ------
    ArtefactDamaged
        A row differs by more than `GOLDEN_TOLERANCE`.
    """
    content = json.loads(golden)
    rows = np.array(content["rows"], dtype=np.float64).reshape(-1, len(model.features))
    expected = np.array(content["log_odds"], dtype=np.float64)
    explained = model.contributions(rows)
    for found in (model.log_odds(rows), explained.base + explained.values.sum(axis=1)):
        wrong = int((~(np.abs(found - expected) <= GOLDEN_TOLERANCE)).sum())
        if wrong or not len(expected):
            raise ArtefactDamaged(
                f"Model {model.info.full_version} gave {wrong} of its {len(expected)} golden rows "
                "another score than training did. It must not serve: register it again."
            )


def rehearse_in_child(folder: Path, time_limit_seconds: float = GOLDEN_SECONDS) -> None:
    """Reproduce the golden rows in a process of its own, which a bad model may take down.

    Raises
    ------
    ArtefactDamaged
        The child ended in an error or by a signal, or was stopped at the time limit.
    """
    command = [sys.executable, "-m", "earlyflag.modelling.rehearsal", str(folder)]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, with a path as its only argument
            command, check=False, capture_output=True, timeout=time_limit_seconds
        )
    except subprocess.TimeoutExpired as error:
        raise ArtefactDamaged(
            f"Model version {folder.name} did not reproduce its golden rows within "
            f"{time_limit_seconds:g} seconds."
        ) from error
    if done.returncode != 0:
        raise ArtefactDamaged(
            f"Model version {folder.name} failed its golden rows in a child process "
            f"(exit code {done.returncode}). It must not serve: register it again."
        )


def point(
    registry: Path, name: str, version: str, *, alias: str = "champion", **facts: Any
) -> Pointer:
    """Make an alias stand for a verified version; `facts` (who, when, why) are kept beside it."""
    folder = registry / name / version
    verify(folder)
    pointer = Pointer(name, version, hashlib.sha256(_read(folder, MANIFEST)).hexdigest())
    write_json_atomically(registry / name / f"{alias}.json", {**facts, **asdict(pointer)})
    return pointer


def pointed(registry: Path, name: str, *, alias: str = "champion") -> Pointer:
    """Return which version an alias stands for.

    Raises
    ------
    StepMissing
        No version holds the alias yet.
    ArtefactDamaged
        The pointer cannot be read.
    """
    file = registry / name / f"{alias}.json"
    try:
        content = json.loads(read_regular(file))
        pointer = Pointer(content["name"], content["version"], content["manifest_sha256"])
        is_inside = pointer.name == name and VERSION.fullmatch(pointer.version)
    except FileNotFoundError as error:
        raise StepMissing(f"No version of {name} is {alias} yet. Run earlyflag promote.") from error
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ArtefactDamaged(f"{alias}.json of {name} cannot be read. Promote again.") from error
    if not is_inside:
        raise ArtefactDamaged(f"{alias}.json of {name} points outside its registry.")
    return pointer


def promoted_when(registry: Path, name: str, *, alias: str = "champion") -> int:
    """Return when an alias was last pointed, in nanoseconds; 0 if never."""
    try:
        return (registry / name / f"{alias}.json").stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def load_pointed(
    registry: Path, name: str, *, alias: str = "champion", rehearse: bool = True
) -> ServedModel:
    """Return the model that an alias stands for, loaded as `load` does."""
    pointer = pointed(registry, name, alias=alias)
    return load(
        registry / name / pointer.version,
        manifest_sha256=pointer.manifest_sha256,
        rehearse=rehearse,
    )


def feature_facts(feature: Any) -> FeatureFacts:
    """Return what serving keeps of a feature, from its declaration in the catalogue."""
    kept = {name: getattr(feature, name) for name in FeatureFacts.__slots__}
    return FeatureFacts(**{**kept, "sources": tuple(kept["sources"])})


def group_facts(group: Any) -> GroupFacts:
    """Return what serving keeps of a reason group, from its declaration."""
    kept = {name: getattr(group, name) for name in GroupFacts.__slots__}
    return GroupFacts(**{**kept, "leads": tuple(kept["leads"])})


def _manifest(info: ModelInfo, files: Mapping[str, bytes]) -> bytes:
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    model = {**asdict(info), "trained_to": info.trained_to.isoformat()}
    return _json({"format": FORMAT, "model": model, "files": digests})


def _seal(folder: Path, manifest: bytes) -> str:
    seal = hashlib.sha256(manifest).hexdigest()
    write_atomically(folder / MANIFEST, manifest)
    write_atomically(folder / SEAL, f"{seal}\n")
    return seal


def _info(content: Mapping[str, Any]) -> ModelInfo:
    return ModelInfo(
        **{
            **content,
            "features": tuple(content["features"]),
            "trained_to": date.fromisoformat(content["trained_to"]),
        }
    )


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _listed(folder: Path, manifest: bytes) -> dict[str, str]:
    """Return the digest of every file that a manifest lists."""
    try:
        return {str(name): str(digest) for name, digest in json.loads(manifest)["files"].items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ArtefactDamaged(
            f"The manifest of model version {folder.name} cannot be read. "
            "Restore the folder from the registry's backup or register the model again."
        ) from error


def _read(folder: Path, name: str) -> bytes:
    try:
        if Path(name).name != name:
            raise ArtefactDamaged(f"The manifest of {folder.name} lists a file outside its folder.")
        return read_regular(folder / name)
    except OSError as error:
        raise ArtefactDamaged(
            f"Model version {folder.name} lacks {name} ({error.strerror}). "
            "Restore the folder from the registry's backup or register the model again."
        ) from error
