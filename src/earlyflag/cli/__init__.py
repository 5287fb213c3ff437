"""The command line: builds settings, connections and the scorer, and passes them down."""

from __future__ import annotations

import os


def main() -> None:
    """Run the command line. The entry point of the `earlyflag` program."""
    # Read when the libraries load, so set before any of them can be imported: LightGBM's threads
    # otherwise spin against every other busy process, and MLflow reports its use.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from earlyflag.cli.app import run

    run()
