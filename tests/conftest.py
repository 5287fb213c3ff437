"""What every test shares: one thread for numeric libraries, and honest skips.

A test that needs what only the system can bring is skipped with a sentence that says what to
install. With EARLYFLAG_TESTS_NEED_SYSTEM=1 such a test fails instead.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
from pathlib import Path

import pytest

from tests.databases import engine, postgresql, sqlite_model  # noqa: F401 (fixtures)
from tests.office import busy_office, office  # noqa: F401 (fixtures)

# Set before any numeric library loads: threads that spin starve the tests beside them.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MPLBACKEND", "Agg")

SYSTEM_NEEDS = {
    "needs_chromium": (
        lambda: shutil.which("chromium") is not None,
        "no Chromium: install it (Debian: apt-get install chromium)",
    ),
    "needs_java": (
        lambda: shutil.which("java") is not None,
        "no Java: install version 17 (Debian: apt-get install openjdk-17-jre-headless)",
    ),
    "needs_pango": (
        lambda: ctypes.util.find_library("pangoft2-1.0") is not None,
        "no Pango: install it (Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 "
        "libharfbuzz-subset0)",
    ),
}
_skipped_for_system: dict[str, int] = {}


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, (is_there, sentence) in SYSTEM_NEEDS.items():
        if item.get_closest_marker(marker) and not is_there():
            if os.environ.get("EARLYFLAG_TESTS_NEED_SYSTEM") == "1":
                pytest.fail(f"{marker}: {sentence}", pytrace=False)
            _skipped_for_system[sentence] = _skipped_for_system.get(sentence, 0) + 1
            pytest.skip(sentence)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for sentence, count in sorted(_skipped_for_system.items()):
        terminalreporter.write_line(f"{count} tests skipped: {sentence}")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public data sets, where it is present beside the checkout."""
    place = Path(os.environ.get("EARLYFLAG_REAL_DATA", Path(__file__).parents[2] / "shared/data"))
    if not place.is_dir():
        pytest.skip(f"the public data sets are not at {place.name}/: set EARLYFLAG_REAL_DATA")
    return place
