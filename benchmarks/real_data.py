"""Where the real data for checks lie, and what is said where they do not."""

from __future__ import annotations

import json
import os
from pathlib import Path


def data_folder(arguments: list[str]) -> Path:
    """Return the folder from the command line, the environment, or beside the checkout."""
    if arguments:
        return Path(arguments[0])
    beside = Path(__file__).parents[2] / "shared" / "data"
    return Path(os.environ.get("EARLYFLAG_REAL_DATA", beside))


def skipped(check: str, missing: Path) -> int:
    """Say plainly that a check was skipped; the last line is JSON like any other."""
    print(f"Skipped: {missing.name} is not in {missing.parent}. Give the data's folder.")
    print(json.dumps({"check": check, "skipped": True, "missing": missing.name}))
    return 0
