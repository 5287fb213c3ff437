"""Resolve one lock file: pinned, hashed, for the platforms of pyproject.toml, no index address."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
GROUPS = {
    "installer": ["--group", "installer"],
    "runtime": ["pyproject.toml", "--extra", "pdf", "--group", "build"],
    "dev": ["pyproject.toml", "--all-extras", "--group", "build", "--group", "dev"],
}
HEADER = (
    "# {group}: CPython 3.11 to 3.13 on Linux (x86-64, ARM) and macOS (ARM). Made by `make lock`.\n"
)

# Every line would repeat the whole list of supported platforms; the header says it once.
PLATFORMS = re.compile(
    r"(?: ; python_full_version < '3\.14'| and python_full_version < '3\.14'|(?<= < '3\.12'))"
    r" and implementation_name == 'cpython' and \(\(.*\)\)(?= \\)"
)


def main(group: str) -> None:
    """Write requirements/<group>.txt; the groups are installer, runtime and dev."""
    target = HERE / f"{group}.txt"
    command = [
        "uv", "pip", "compile", *GROUPS[group], "--universal", "--python-version", "3.11",
        "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url",
        "--no-emit-find-links", "--quiet", "--output-file", str(target.relative_to(HERE.parent)),
    ]  # fmt: skip
    # The smaller environment takes its versions from the larger one, so that both agree.
    if group == "runtime":
        command += ["--constraint", "requirements/dev.txt"]
    subprocess.run(command, check=True, cwd=HERE.parent)  # noqa: S603
    lines = PLATFORMS.sub("", target.read_text(encoding="utf-8"))
    target.write_text(HEADER.format(group=group) + lines, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
