"""Whether the artefact that serves still stands on disk as it was promoted.

What was loaded goes on answering from memory whatever happens to its files; but a worker that
starts later reads them, so readiness tells of the damage while there is time to mend it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from earlyflag.core.errors import ArtefactDamaged
from earlyflag.modelling.artefact import verify

HASH_AGAIN_SECONDS = 900.0
"""How often every file is hashed although no look at the folder showed a change."""

Marks = tuple[tuple[str, int, int, int, int], ...]


class Soundness:
    """Watches one artefact's folder: a cheap look each time, hashes when something changed.

    Parameters
    ----------
    folder : the version's folder
    manifest_sha256 : what its manifest must hash to
    hash_again_seconds : after how long it is hashed even if it looks the same, since a disk may
        damage a file without touching its size or times
    seconds : a clock that only goes forward
    """

    def __init__(
        self,
        folder: Path,
        manifest_sha256: str,
        *,
        hash_again_seconds: float = HASH_AGAIN_SECONDS,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.manifest_sha256 = manifest_sha256
        self._folder = folder
        self._hash_again_seconds = hash_again_seconds
        self._seconds = seconds
        self._marks: Marks | None = None
        self._hashed_at = 0.0
        self._problem = ""

    def problem(self) -> str:
        """Return what is wrong with the files now, blank if nothing is."""
        marks = self._look()
        now = self._seconds()
        if marks != self._marks or now - self._hashed_at >= self._hash_again_seconds:
            # Noted before hashing: what changes meanwhile shows in the next look.
            self._marks, self._hashed_at = marks, now
            self._problem = self._hash()
        return self._problem

    def _hash(self) -> str:
        try:
            verify(self._folder, self.manifest_sha256)
        except ArtefactDamaged as error:
            return (
                f"{error} The model that was loaded before goes on answering, "
                "but a server that starts now would refuse it."
            )
        return ""

    def _look(self) -> Marks:
        """Return name, inode, size and times of every file, without opening one."""
        try:
            found = [(file.name, file.stat()) for file in self._folder.iterdir()]
        except OSError:  # the folder, or a file between being listed and looked at, is gone
            return ()
        return tuple(
            sorted((n, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for n, s in found)
        )
