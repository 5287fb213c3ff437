"""Track runs, register versions and promote them: the one place that speaks to MLflow.

MLflow keeps parameters, figures, plots and the registered versions with their aliases `champion`
and `challenger`. What serving loads is the export folder beside it (see `modelling.artefact`).
Neither holds a row of any household.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from importlib.metadata import version as installed
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from earlyflag.core.clock import Clock, SystemClock
from earlyflag.core.errors import ArtefactDamaged, Misused, NotFound, PromotionRefused, StepMissing
from earlyflag.core.home import Home
from earlyflag.core.terms import ModelInfo
from earlyflag.modelling import artefact
from earlyflag.modelling.boosting import Boosted
from earlyflag.modelling.promotion import Finding, findings
from earlyflag.modelling.served import ServedModel, probability
from earlyflag.modelling.training import Fitted

CHAMPION, CHALLENGER = "champion", "challenger"
RESULTS, PROMOTION = "results.json", "promotion.json"

Render = Callable[[ModelInfo, Mapping[str, Any]], Mapping[str, str]]
"""From a model and its results to the card's files (`card.md`, `card.html`)."""

Compare = Callable[[str, str], Mapping[str, Any] | None]
"""From a version and the champion's to `modelling.against`'s comparison; None if there is none."""

SERVING_CODE = """\
import mlflow

from earlyflag.modelling.registry import served_by_mlflow

mlflow.models.set_model(served_by_mlflow())
"""


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
    with _tracking(home) as client:
        name = fitted.specification.name
        info = replace(fitted.info, version=_next_version(client, home, name))
        folder = home.registry / name / info.version
        extra = {
            RESULTS: _json(fitted.results),
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
        run_id = _track(client, fitted, info, folder, plots or {}, code_version)
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
    if override_by is not None and override_by.strip().lower() in ("", by.strip().lower()):
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
    extra = {PROMOTION: _json(record)}
    if card:
        extra.update(card(info, {**found, "promotion": record}))
    artefact.add(folder, extra)
    if _pointed(home, name, CHALLENGER) == number:
        artefact.point(home.registry, name, number, alias=CHALLENGER)
    with _tracking(home) as client:
        client.set_registered_model_alias(name, CHAMPION, number)
        for key in ("reason", "by", "overridden_by"):
            client.set_model_version_tag(name, number, f"promotion_{key}", str(record[key]))
    artefact.point(home.registry, name, number, alias=CHAMPION, reason=reason, by=by)
    return gate


def served_by_mlflow() -> Any:
    """Return the model that `mlflow models serve` runs: the export, loaded as serving loads it."""
    import mlflow
    import pandas as pd

    class Export(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        """Gives the calibrated probability of each row of features."""

        def load_context(self, context: Any) -> None:
            self.model = artefact.load(Path(context.artifacts["export"]), rehearse=False)

        def predict(
            self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
        ) -> pd.DataFrame:
            rows = model_input[list(self.model.info.features)].to_numpy(dtype=np.float64)
            return pd.DataFrame({"probability": probability(self.model.log_odds(rows))})

    return Export()


@contextmanager
def _tracking(home: Home) -> Iterator[Any]:
    """Give a client on the home's own store, its usage reporting off."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import logging
    import warnings

    import mlflow

    for noisy in ("mlflow", "mlflow.tracking", "mlflow.store", "mlflow.pyfunc", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    home.mlflow.mkdir(parents=True, exist_ok=True)
    address = f"sqlite:///{home.mlflow.resolve() / 'mlflow.db'}"
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(address)
    mlflow.set_registry_uri(address)
    try:
        with warnings.catch_warnings():
            # Deprecations inside MLflow and its database layer are nothing the reader can mend.
            warnings.simplefilter("ignore")
            yield mlflow.MlflowClient(address, address)
    finally:
        mlflow.set_tracking_uri(before)
        mlflow.set_registry_uri("")


def _track(
    client: Any,
    fitted: Fitted,
    info: ModelInfo,
    folder: Path,
    plots: Mapping[str, bytes],
    code_version: str,
) -> str:
    """Write one run and its registered version; return the run's id."""
    import mlflow

    experiment = _experiment(client, info.name, folder.parents[1].parent / "mlflow")
    with mlflow.start_run(experiment_id=experiment, run_name=info.full_version) as run:
        mlflow.set_tags(
            {
                "earlyflag.data_hash": info.data_hash,
                "earlyflag.specification_hash": info.specification_hash,
                "earlyflag.code_version": code_version or installed("earlyflag"),
                "earlyflag.family": info.family,
            }
        )
        mlflow.log_params(_parameters(fitted))
        mlflow.log_metrics(_metrics(fitted.results))
        for step, (cut_off, figures) in enumerate(fitted.results["by_cut_off"].items()):
            mlflow.log_metrics(_flat(f"by_cut_off.{cut_off}", figures), step=step)
        mlflow.log_dict(json.loads(_json(fitted.results)), RESULTS)
        mlflow.log_dict(fitted.results["specification"], "specification.json")
        with tempfile.TemporaryDirectory() as scratch:
            for name, content in plots.items():
                file = Path(scratch) / f"{name}.png"
                file.write_bytes(content)
                mlflow.log_artifact(str(file), "plots")
            _log_model(fitted, info, folder, Path(scratch))
    return str(run.info.run_id)


def _log_model(fitted: Fitted, info: ModelInfo, folder: Path, scratch: Path) -> None:
    """Register the export as a model written from code: nothing is pickled."""
    import mlflow
    import pandas as pd
    from mlflow.models import infer_signature

    code = scratch / "served_by_mlflow.py"
    code.write_text(SERVING_CODE, encoding="utf-8")
    example = pd.DataFrame(fitted.golden_rows[:3], columns=list(info.features))
    output = pd.DataFrame({"probability": probability(fitted.golden_log_odds[:3])})
    packages = ("earlyflag", "mlflow", "numpy", "numba", "pandas")
    with redirect_stderr(StringIO()), redirect_stdout(StringIO()):  # it announces each step
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(code),
            artifacts={"export": str(folder)},
            signature=infer_signature(example, output),
            input_example=example,
            pip_requirements=[f"{name}=={installed(name)}" for name in packages],
            registered_model_name=info.name,
            await_registration_for=0,
        )


def _experiment(client: Any, name: str, folder: Path) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    place = (folder / "artefacts" / name).resolve()
    place.mkdir(parents=True, exist_ok=True)
    return str(client.create_experiment(name, artifact_location=place.as_uri()))


def _next_version(client: Any, home: Home, name: str) -> str:
    tracked = [int(each.version) for each in client.search_model_versions(f"name='{name}'")]
    exported = [int(each) for each in versions(home, name)]
    return str(max([0, *tracked, *exported]) + 1)


def _parameters(fitted: Fitted) -> dict[str, Any]:
    result: dict[str, Any] = {
        "family": fitted.family,
        "features": len(fitted.features),
        "label": fitted.specification.label.event,
        "horizon": fitted.specification.label.horizon,
        "train_cut_offs": len(fitted.windows.train),
        "test_cut_offs": len(fitted.windows.test),
        "helped": fitted.specification.helped,
    }
    for candidate in fitted.results["candidates"]:
        family = candidate["family"]
        result.update({f"{family}.{key}": value for key, value in candidate["settings"].items()})
        result[f"{family}.rounds_used"] = candidate["rounds"]
    return result


def _metrics(found: Mapping[str, Any]) -> dict[str, float]:
    """Return the headline figures as MLflow metrics, intervals as `_low` and `_high`."""
    result = _flat("test", found["performance"])
    result |= _flat("calibration", found["calibration"])
    for name in ("best_rule", "oracle"):
        if found.get(name):
            result |= _flat(name, found[name])
    for name, figures in found["rules"].items():
        result |= _flat(f"rule.{name}", figures)
    return result


def _flat(prefix: str, figures: Mapping[str, Any]) -> dict[str, float]:
    result = {}
    for name, figure in figures.items():
        if isinstance(figure, Mapping) and "value" in figure:
            parts = {"": figure["value"], "_low": figure["low"], "_high": figure["high"]}
            result.update(
                {f"{prefix}.{name}{end}": each for end, each in parts.items() if each is not None}
            )
        elif isinstance(figure, int | float) and not isinstance(figure, bool):
            result[f"{prefix}.{name}"] = float(figure)
    return result


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


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, default=str) + "\n"
