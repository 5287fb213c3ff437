"""The same path on a real arrears ledger: `make validate-ledger`.

Contract tables are written from the public ledger (see `ledger_tables.py`), ingested, linked,
turned into features and labels, trained, promoted, scored and served, each by the same call that
the command line makes. Beside each figure stands that of a plain LightGBM with its default
settings, fitted in the same run on the ledger's raw columns (bills, amounts paid, months behind)
for the same accounts. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import ledger_tables
import lightgbm
import numpy as np
import pandas as pd
from real_data import data_folder, skipped
from sklearn.metrics import average_precision_score, roc_auc_score

from earlyflag import features, sources
from earlyflag.cli.progress import TerminalProgress
from earlyflag.cli.serving import build_app
from earlyflag.core.clock import SystemClock
from earlyflag.core.settings import LawfulBasis, Settings
from earlyflag.modelling import Specification
from earlyflag.modelling.candidates import Trainer, best_settings, raw
from earlyflag.modelling.development import choose
from earlyflag.modelling.rows import choose_features, select
from earlyflag.pipeline import promotion, scoring, steps, training

MODELS = Path(__file__).parents[1] / "models"
DELIVERED_ON = date(2005, 11, 1)
OCTOBER = date(2005, 10, 1)
OUTER_FOLDS = 5
REPLICATES = 500
BASIS = LawfulBasis(
    gateway="public data, CC BY 4.0",
    approved_by="its publisher",
    approved_on=date(2016, 1, 26),
    impact_assessment="none needed",
)
Scores = tuple[np.ndarray, np.ndarray]


def main() -> int:
    """Run the path, print the figures, and end with JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="folder of the public data sets")
    parser.add_argument("--home", type=Path, help="keep the home here instead of a temporary one")
    given = parser.parse_args()
    data = data_folder([given.data] if given.data else []) / "credit_arrears_2005"
    if not data.is_dir():
        return skipped("validate_ledger", data)
    with tempfile.TemporaryDirectory() as scratch:
        home = given.home or Path(scratch) / "home"
        bases = dict.fromkeys(sources.TABLES, BASIS)
        settings = Settings(home=home, lawful_basis=bases, borough_name="a public ledger")
        found = run(data, settings)
    print(json.dumps(found))
    return 0


def run(data: Path, settings: Settings) -> dict[str, Any]:
    """Return the figures of the three targets, ours and the plain model's."""
    progress = TerminalProgress()
    extracts = settings.home_folder.open().extracts
    with progress.step("write") as step:
        ledger_tables.write(data, extracts)
        step.wrote("the ledger as contract tables")
    steps.ingest(settings, extracts, progress, delivered_on=DELIVERED_ON)
    steps.link(settings, progress)
    raw_columns = _raw_columns(data)
    found: dict[str, Any] = {}
    for target in ("two_months_behind", "new_arrears"):
        ours, plain, label = _forward(settings, f"ledger_{target}", raw_columns, progress)
        found |= _figures(target, label, ours, plain)
    ours, plain, label = _october(settings, raw_columns, progress)
    found |= _figures("october_default", label, ours, plain)
    found |= _served(settings, progress)
    return found


def _forward(
    settings: Settings, name: str, raw_columns: dict[date, pd.DataFrame], progress: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train through the registry; score the test accounts with the registered artefact."""
    from earlyflag.modelling import artefact
    from earlyflag.modelling.score import matrix_of

    file = MODELS / f"{name}.yaml"
    specification = Specification.load(file)
    registered = training.train(settings, file, progress)
    served = artefact.load(registered.folder)
    before, after = specification.cut_offs.train[0], specification.cut_offs.test[0]
    tables, households = steps.linked(settings.home_folder)
    store = features.open_store(settings.home_folder.features)
    frame = training.labelled(specification, store, tables, households, [before, after])
    accounts = _accounts(tables, households)
    rows = {
        part: frame.iloc[select(specification, frame, served.info.features, [day], part=part).place]
        for part, day in (("train", before), ("test", after))
    }
    ours = served.log_odds(matrix_of(served, rows["test"]))
    known = {
        part: raw_columns[day].loc[accounts.loc[rows[part]["household_id"]]]
        for part, day in (("train", before), ("test", after))
    }
    # What both cut-offs have seen: three months back, the plain model's shape at both.
    shared = [column for column in known["train"] if column in known["test"]]
    model = lightgbm.train(
        PLAIN, lightgbm.Dataset(known["train"][shared], rows["train"]["label"]), PLAIN_ROUNDS
    )
    return ours, model.predict(known["test"][shared]), rows["test"]["label"].to_numpy()


PLAIN = {"objective": "binary", "verbose": -1, "num_threads": 2, "seed": 1}
PLAIN_ROUNDS = 100


def _october(
    settings: Settings, raw_columns: dict[date, pd.DataFrame], progress: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Score each account with models that saw only other accounts, five folds.

    Settings, rounds and family are chosen inside the training folds alone.
    """
    specification = Specification.load(MODELS / "ledger_october_default.yaml")
    tables, households = steps.linked(settings.home_folder)
    store = steps.build_features(settings, [OCTOBER], progress)
    frame = training.labelled(specification, store, tables, households, [OCTOBER])
    names, _ = choose_features(specification, frame.columns, features.CATALOGUE)
    accounts = _accounts(tables, households).loc[frame["household_id"]]
    outer = accounts.map(lambda ref: int(ref) * 2_654_435_761 % 2**32 % OUTER_FOLDS).to_numpy()
    label = frame["label"].to_numpy()
    known = raw_columns[OCTOBER].loc[accounts]
    ours, plain = np.empty(len(frame)), np.empty(len(frame))
    with progress.step("october", OUTER_FOLDS) as step:
        for fold in range(OUTER_FOLDS):
            inside, outside = np.flatnonzero(outer != fold), np.flatnonzero(outer == fold)
            ours[outside] = _chosen(specification, frame, names, inside, outside)
            model = lightgbm.train(
                PLAIN, lightgbm.Dataset(known.iloc[inside], label[inside]), PLAIN_ROUNDS
            )
            plain[outside] = model.predict(known.iloc[outside])
            step.advance()
        step.wrote(f"{OUTER_FOLDS} folds of accounts")
    return ours, plain, label


def _chosen(
    specification: Specification,
    frame: pd.DataFrame,
    names: tuple[str, ...],
    inside: np.ndarray,
    outside: np.ndarray,
) -> np.ndarray:
    """Return raw log-odds of the outside rows by the family that wins inside."""
    rows = select(specification, frame.iloc[inside], names, [OCTOBER], part="train")
    others = select(specification, frame.iloc[outside], names, [OCTOBER], part="test")
    trainer = Trainer(
        names=names,
        monotone=tuple(features.CATALOGUE[name].monotone for name in names),
        seed=specification.seed,
        threads=2,
        advance=lambda _: None,
    )
    found = [best_settings(each, rows, trainer) for each in specification.candidates]
    best, _ = choose(found, rows, specification.replicates)
    model = trainer.fit(best.family, rows, best.settings, rounds=best.rounds)
    return raw(model, others.matrix)


def _raw_columns(data: Path) -> dict[date, pd.DataFrame]:
    """Return the ledger's raw columns by cut-off, indexed by account, newest month first."""
    statements, _ = ledger_tables.read(data)
    result = {}
    for day in (date(2005, 7, 1), date(2005, 8, 1), OCTOBER):
        before = statements[statements["day"] < day]
        wide = {}
        for back, month in enumerate(sorted(before["month"].unique(), reverse=True), start=1):
            rows = before[before["month"] == month].set_index("account_ref")
            for column in ("bill_amount", "paid_amount", "months_behind_status"):
                wide[f"{column}_{back}"] = rows[column]
        result[day] = pd.DataFrame(wide)
    return result


def _accounts(tables: Any, households: Any) -> pd.Series:
    """Return each household's account."""
    import duckdb

    with duckdb.connect() as connection:
        tables.register(connection)
        households.register(connection)
        found = connection.execute("SELECT household_id, account_ref FROM household_homes").df()
    return found.drop_duplicates("household_id").set_index("household_id")["account_ref"]


def _served(settings: Settings, progress: Any) -> dict[str, Any]:
    """Promote, score every account and serve: the rest of the path."""
    from starlette.testclient import TestClient

    name = "ledger_two_months_behind"
    promotion.promote(
        settings, name, "latest", reason="Validation on a public ledger.", by="validation",
        override_by="validation script",
    )  # fmt: skip
    scored = scoring.score(
        settings, "2005-08-01", progress, clock=SystemClock(), model_name=name, capacity=100
    )
    site = build_app(settings, "127.0.0.1", 8000, name)
    with TestClient(site, base_url="http://127.0.0.1:8000") as client:
        ready = client.get("/health/ready").status_code
    return {"households_scored": scored.run.scored, "flags": scored.raised.flagged, "ready": ready}


def _figures(
    target: str, label: np.ndarray, ours: np.ndarray, plain: np.ndarray
) -> dict[str, float]:
    """Print one target's figures with intervals and return them for the JSON."""
    print(f"\n{target} ({len(label):,} accounts, {label.mean():.1%} with the event)")
    generator = np.random.default_rng(1)
    draws = [generator.integers(0, len(label), len(label)) for _ in range(REPLICATES)]
    result: dict[str, float] = {}
    for name, measure in (("auc", roc_auc_score), ("average_precision", average_precision_score)):
        pairs = np.array([[measure(label[d], s[d]) for s in (ours, plain)] for d in draws])
        own, other = float(measure(label, ours)), float(measure(label, plain))
        low, high = np.quantile(pairs, [0.025, 0.975], axis=0)
        gap = np.quantile(pairs[:, 0] - pairs[:, 1], [0.025, 0.975])
        print(
            f"  {name:<18} {own:.4f} ({low[0]:.4f} to {high[0]:.4f})   plain LightGBM {other:.4f} "
            f"({low[1]:.4f} to {high[1]:.4f})   difference {own - other:+.4f} "
            f"({gap[0]:+.4f} to {gap[1]:+.4f})"
        )
        result[f"{target}_{name}"] = round(own, 4)
        result[f"{target}_{name}_plain"] = round(other, 4)
    return result


if __name__ == "__main__":
    raise SystemExit(main())
