"""Track runs and keep aliases in MLflow: the one place that speaks to it.

Nothing is pickled and nothing is about a household: a run holds parameters, figures and plots, a
registered version the export that serving loads. Annotations are evaluated here, since MLflow reads
those of `predict`.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib.metadata import version as installed
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from earlyflag.core.home import Home
from earlyflag.core.terms import ModelInfo
from earlyflag.modelling import artefact
from earlyflag.modelling.served import probability

if TYPE_CHECKING:
    from earlyflag.modelling.training import Fitted

RESULTS = "results.json"

SERVING_CODE = """\
import mlflow

from earlyflag.modelling.tracking import served_by_mlflow

mlflow.models.set_model(served_by_mlflow())
"""


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
def tracking(home: Home) -> Iterator[Any]:
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


def track(
    client: Any,
    fitted: "Fitted",
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
        mlflow.log_dict(json.loads(as_text(fitted.results)), RESULTS)
        mlflow.log_dict(fitted.results["specification"], "specification.json")
        with tempfile.TemporaryDirectory() as scratch:
            for name, content in plots.items():
                file = Path(scratch) / f"{name}.png"
                file.write_bytes(content)
                mlflow.log_artifact(str(file), "plots")
            _log_model(fitted, info, folder, Path(scratch))
    return str(run.info.run_id)


def _log_model(fitted: "Fitted", info: ModelInfo, folder: Path, scratch: Path) -> None:
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


def tracked_versions(client: Any, name: str) -> list[int]:
    """Return the numbers of a model's versions that MLflow knows."""
    return [int(each.version) for each in client.search_model_versions(f"name='{name}'")]


def _parameters(fitted: "Fitted") -> dict[str, Any]:
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


def as_text(content: Any) -> str:
    """Return plain content as JSON text."""
    return json.dumps(content, indent=1, default=str) + "\n"
