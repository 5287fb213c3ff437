"""Train on real households through `train --table` and compare with a plain logistic regression.

    python benchmarks/validate_pulse.py [DATA]

DATA holds `household_pulse_2020/`; without it, EARLYFLAG_REAL_DATA is taken, else `../shared/data`
beside the checkout. Households are split by hash, later weeks are the test. The last line is JSON.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from household_pulse import FILE, feature_table
from real_data import data_folder, skipped

from earlyflag.core.settings import Settings
from earlyflag.evaluation.calibration import calibration
from earlyflag.evaluation.estimates import Resamples
from earlyflag.evaluation.ranking import Ranked, measure
from earlyflag.modelling import Specification, artefact, load_table, windows_of
from earlyflag.modelling.rows import select
from earlyflag.modelling.tables import span
from earlyflag.pipeline.progress import Silent
from earlyflag.pipeline.training import train_table

SPECIFICATION = Path(__file__).parents[1] / "models" / "household_pulse.yaml"
REPLICATES = 1000


def main() -> int:
    data = data_folder(sys.argv[1:])
    if not (data / FILE).is_file():
        return skipped("validate_pulse", data / FILE)
    specification = Specification.load(SPECIFICATION)
    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch) / "pulse.parquet"
        feature_table(data).to_parquet(table)
        settings = Settings(home=Path(scratch) / "home")
        registered = train_table(settings, table, SPECIFICATION, Silent())
        served = artefact.load(registered.folder)
        own = load_table(table, specification, beside=SPECIFICATION)
        results = json.loads((registered.folder / "results.json").read_text())
    first, last = span(own, specification)
    windows = windows_of(specification, data_from=first, data_until=last)
    names = served.info.features
    frame = own.frame
    first_test = np.datetime64(windows.test[0])
    known = frame["label_known_on"].to_numpy().astype("datetime64[D]") <= first_test
    train = select(specification, frame[known], names, windows.train, part="train")
    test = select(specification, frame, names, windows.test, part="test")
    log_odds = served.log_odds(test.matrix)
    # The artefact's calibration may be re-centred on the test's last week; ranks are not touched,
    # and calibration is reported as it was before.
    validated = log_odds - results["serving"]["shift"]
    draws = Resamples(test.households, REPLICATES)
    model = measure(Ranked(test.label, log_odds, test.as_of), [100], draws)
    plain = measure(Ranked(test.label, plain_logistic(train, test), test.as_of), [100], draws)
    gap = model.minus(plain, "average_precision")
    held = calibration(validated, test.label, draws)
    print(results["model"]["choice"]["sentence"])
    print(f"{len(train):,} training rows, {len(test):,} test rows, {int(test.label.sum())} events")
    for name in ("auc", "average_precision"):
        print(f"{name:20} {model.values[name]}   plain logistic {plain.values[name]}")
    print(f"{'difference in AP':20} {gap}")
    print(f"{'calibration slope':20} {held['slope']}")
    print(f"{'observed / expected':20} {held['observed_over_expected']}")
    summary = {
        "family": results["model"]["family"],
        "auc": model.values["auc"].value,
        "auc_plain": plain.values["auc"].value,
        "average_precision": model.values["average_precision"].value,
        "average_precision_plain": plain.values["average_precision"].value,
        "average_precision_difference": gap.as_json(),
        "calibration_slope": held["slope"].as_json(),
        "observed_over_expected": held["observed_over_expected"].as_json(),
        "test_rows": len(test),
        "test_events": int(test.label.sum()),
    }
    print(json.dumps(summary))
    return 0 if summary["auc"] >= 0.80 and gap.high >= 0 else 1


def plain_logistic(train, test):
    """Return test scores of an unregularised-by-us logistic regression: medians, z-scores, L2=1."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(
        SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000)
    )
    model.fit(train.matrix, train.label)
    return model.decision_function(test.matrix)


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(main())
