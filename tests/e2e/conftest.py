"""One demo borough for all end-to-end tests: 2,000 households, every step done, nothing served."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
PROGRAM = "from earlyflag.cli import main; main()"


def run_earlyflag(
    *arguments: str, home: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "--home", str(home), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a finished demo. Tests may read it and add runs, never remove."""
    home = tmp_path_factory.mktemp("demo") / "home"
    done = run_earlyflag("demo", "--no-serve", "--households", "2000", home=home)
    assert done.returncode == 0, done.stderr
    return home
