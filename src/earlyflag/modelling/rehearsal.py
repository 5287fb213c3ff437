"""Reproduce a model's golden rows: run as a child process before the model may serve."""

from __future__ import annotations

import sys
from pathlib import Path

from earlyflag.core.errors import EarlyflagError
from earlyflag.modelling.artefact import parse, reproduce_golden, verify


def rehearse(folder: Path) -> int:
    """Return 0 if the model in `folder` reproduces its golden rows, else its error's exit code."""
    try:
        files = verify(folder)
        reproduce_golden(parse(files), files["golden.json"])
    except EarlyflagError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(rehearse(Path(sys.argv[1])))
