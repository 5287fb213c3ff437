"""How long training takes on many rows: `python benchmarks/training.py [--rows 3100000]`.

Random features of which a few carry signal, 24 monthly cut-offs of the same households, one
specification, no search; rows without the event are sampled and the calibration makes up for it.
The goal is under 6 minutes and 8 GB on two cores. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from types import SimpleNamespace

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import numpy as np
import pandas as pd

from earlyflag.core.clock import add_months
from earlyflag.modelling import Specification, fit, windows_of

FIRST = pd.Timestamp("2021-01-01").date()
CUT_OFFS = 24


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=3_100_000)
    parser.add_argument("--features", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    days = [add_months(FIRST, step) for step in range(CUT_OFFS)]
    specification = Specification.of(
        {
            "name": "bench",
            "label": {"event": "owed_duty", "horizon_months": 1},
            "cut_offs": {"train": days[:-5], "test": days[-4:]},
            "negatives_per_event": 10,
            "folds": 3,
            "slices": [],
            "audit": {"groups": []},
        }
    )
    frame, catalogue = made_up(given.rows, given.features, days)
    windows = windows_of(specification, data_from=FIRST, data_until=add_months(days[-1], 2))
    wall, cpu = time.perf_counter(), time.process_time()
    fitted = fit(specification, frame, catalogue, windows=windows, threads=given.threads)
    found = {
        "rows": len(frame),
        "features": given.features,
        "seconds": round(time.perf_counter() - wall, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "peak_gigabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "family": fitted.family,
        "trained_on": fitted.results["rows"]["train"],
        "stand_for": round(fitted.results["rows"]["train_stand_for"]),
        "observed_over_expected": fitted.results["calibration"]["observed_over_expected"],
    }
    print(json.dumps(found))
    return 0 if found["seconds"] < 360 and found["peak_gigabytes"] < 8 else 1


def made_up(rows, features, days):
    """Return a frame of float32 features in one block, with labels at about 1.5%."""
    per_day = rows // len(days)
    n = per_day * len(days)
    generator = np.random.default_rng(1)
    block = generator.standard_normal((n, features), dtype=np.float32)
    block[generator.random((n, features), dtype=np.float32) < 0.1] = np.nan
    signal = np.nan_to_num(block[:, :8]) @ np.linspace(0.6, 0.1, 8).astype(np.float32)
    names = [f"feature_{number:03d}" for number in range(features)]
    label = generator.random(n) < 1 / (1 + np.exp(4.7 - signal))
    frame = pd.DataFrame(block, columns=names, copy=False)
    frame["household_id"] = np.tile(np.arange(per_day), len(days))
    frame["as_of"] = np.repeat(pd.to_datetime(days), per_day)
    frame["label"] = label.astype(np.float32)
    catalogue = {name: SimpleNamespace(name=name, group="all", monotone=0) for name in names}
    return frame, catalogue


if __name__ == "__main__":
    sys.exit(main())
