"""The home folder: one place for everything a council's installation keeps."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earlyflag.core.errors import WrongHome

MARKER = ".earlyflag"


@dataclass(frozen=True, slots=True)
class Home:
    """Where each step reads and writes. Every path hangs below `root`."""

    root: Path

    @property
    def settings_file(self) -> Path:
        """The settings that people edit."""
        return self.root / "settings.toml"

    @property
    def extracts(self) -> Path:
        """Extracts as delivered; the demo's synthetic borough writes here."""
        return self.root / "extracts"

    @property
    def tables(self) -> Path:
        """The validated contract tables."""
        return self.root / "tables"

    @property
    def runs(self) -> Path:
        """One folder a run: summary, rejects, manifest."""
        return self.root / "runs"

    @property
    def households(self) -> Path:
        """What linkage found: people, households, case links, what cannot be scored."""
        return self.root / "households"

    @property
    def features(self) -> Path:
        """One feature file a cut-off."""
        return self.root / "features"

    @property
    def mlflow(self) -> Path:
        """The tracking database and its artefacts."""
        return self.root / "mlflow"

    @property
    def registry(self) -> Path:
        """Exported models, the only thing serving loads."""
        return self.root / "registry"

    @property
    def database(self) -> Path:
        """The casework database, where SQLite is used."""
        return self.root / "earlyflag.db"

    @property
    def audit_heads(self) -> Path:
        """The audit's exported heads, unless the settings keep them elsewhere."""
        return self.root / "audit-heads.txt"

    @property
    def audit_key(self) -> Path:
        """The key that signs the audit's checkpoints; for its owner alone."""
        return self.root / "audit.key"

    @property
    def audit_public_key(self) -> Path:
        """The public half of that key, unless the settings keep it elsewhere."""
        return self.root / "audit.pub"

    def open(self) -> Home:
        """Return this home, made and marked if it is new.

        Raises
        ------
        WrongHome
            The path is a file, cannot be written, or is a folder with other things in it.
        """
        if self.root.exists() and not self.root.is_dir():
            raise WrongHome(
                f"{self.root} is a file, but the home must be a folder. "
                "Choose another with --home or EARLYFLAG_HOME."
            )
        marker = self.root / MARKER
        try:
            if not marker.exists():
                if self.root.exists() and any(self.root.iterdir()):
                    raise WrongHome(
                        f"{self.root} holds other files and is no earlyflag home. "
                        "Choose an empty or new folder with --home or EARLYFLAG_HOME."
                    )
                self.root.mkdir(parents=True, exist_ok=True)
                write_atomically(marker, "1\n")
        except OSError as error:
            raise WrongHome(
                f"{self.root} cannot be written ({error.strerror}). "
                "Choose another with --home or EARLYFLAG_HOME."
            ) from error
        return self


LARGEST_FILE = 2_000_000_000
"""Bytes of the largest file that is read whole."""


def read_regular(file: Path) -> bytes:
    """Return what stands in a regular file.

    A pipe would be waited for without end, and a file that says it is enormous fill the memory.

    Raises
    ------
    OSError
        It is none, it is larger than `LARGEST_FILE`, or it cannot be read.
    """
    opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(opened, "rb") as stream:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        if found.st_size > LARGEST_FILE:
            raise OSError(errno.EFBIG, "it is too large")
        return stream.read()


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Parent folders are made. The file is flushed to disk before it takes its name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json_atomically(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as indented, key-sorted JSON, atomically."""
    write_atomically(path, json.dumps(content, indent=2, sort_keys=True, default=str) + "\n")
