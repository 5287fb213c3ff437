"""What is installed: the wheel carries every file of the package that is read when it runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
READ_AT_RUN_TIME = {".yaml", ".json", ".html", ".toml", ".ini", ".mako"}


def test_the_wheel_carries_the_mappings_and_every_other_file_that_the_package_reads(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        carried = set(wheel.namelist())

    package = ROOT / "src" / "earlyflag"
    wanted = {
        str(path.relative_to(package.parent))
        for path in package.rglob("*")
        if path.suffix in READ_AT_RUN_TIME and "node_modules" not in path.parts
    }
    assert {
        "earlyflag/sources/mappings/rent-export.yaml",
        "earlyflag/linkage/parameters.json",
    } < wanted
    assert wanted <= carried
