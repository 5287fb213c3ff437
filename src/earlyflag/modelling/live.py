"""The model that answers now: scores of a few rows at once, and the swap to a promoted version.

A worker watches the champion's pointer. A new version is hashed, rehearsed in a child process,
read, warmed up, and only then takes the old one's place by one assignment, so that a request is
answered by one version from start to end. A version that fails any of it never serves: the old
one goes on, and `status` says why. So it does when the files of the version that serves are
damaged after they were read. Nothing here loads a training library.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from earlyflag.core.clock import Clock, SystemClock, london_day
from earlyflag.core.errors import EarlyflagError, InputInvalid
from earlyflag.core.logging import get_logger
from earlyflag.core.terms import ModelInfo, Score, ServingStatus
from earlyflag.modelling.artefact import GOLDEN_SECONDS, Pointer, load, pointed, promoted_when
from earlyflag.modelling.score import score
from earlyflag.modelling.served import ServedModel
from earlyflag.modelling.shapley import FEW
from earlyflag.modelling.soundness import HASH_AGAIN_SECONDS, Soundness

MOST_ROWS = 1000
"""Rows that one request may have scored."""

WATCH_SECONDS = 2.0
"""How often a worker looks for a promotion."""


class LiveModel:
    """Scores rows with the champion of a registry, and follows its promotions.

    Parameters
    ----------
    registry : the folder of exported models
    name : whose champion serves
    clock : whose London day the scores are for
    time_limit_seconds : how long a new version may take for its golden rows
    hash_again_seconds : how often the files of the version that serves are hashed again although
        they look unchanged
    on_swap : called with the new model's facts after each swap

    Raises
    ------
    StepMissing
        No version is champion yet.
    ArtefactDamaged
        The champion does not pass its own checks; there is no old one to go on with.
    """

    def __init__(
        self,
        registry: Path,
        name: str,
        *,
        clock: Clock | None = None,
        time_limit_seconds: float = GOLDEN_SECONDS,
        hash_again_seconds: float = HASH_AGAIN_SECONDS,
        on_swap: Callable[[ModelInfo], None] | None = None,
    ) -> None:
        self._registry, self._name = registry, name
        self._clock = clock or SystemClock()
        self._time_limit_seconds = time_limit_seconds
        self._hash_again_seconds = hash_again_seconds
        self._on_swap = on_swap
        self._swapping = threading.Lock()
        self._stopped = threading.Event()
        self._watcher: threading.Thread | None = None
        pointer = pointed(registry, name)
        self._refused: Pointer | None = None
        self._serving = self._load(pointer)
        self._soundness = self._soundness_of(pointer)
        self._status = ServingStatus(
            self._serving.info.full_version, self._serving.info.full_version
        )

    @property
    def model(self) -> ModelInfo:
        """The model that answers now."""
        return self._serving.info

    def status(self) -> ServingStatus:
        """Return what serves and whether it is what was promoted."""
        return self._status

    def score(self, rows: Sequence[Mapping[str, float | None]]) -> Sequence[Score]:
        """Return one score a row, in order, with every reason; ranks are within the rows.

        Parameters
        ----------
        rows : up to `MOST_ROWS` of them; a feature that is absent or None is not known

        Raises
        ------
        InputInvalid
            A row names an undeclared feature; there are no rows, or too many; or a value is no
            finite number.
        """
        if not 0 < len(rows) <= MOST_ROWS:
            raise InputInvalid(
                f"Got {len(rows):,} rows, but expected 1 to {MOST_ROWS:,}. Send them in parts.",
                "rows",
                expected=f"1 to {MOST_ROWS:,} rows",
                got=f"{len(rows):,} rows",
            )
        model = self._serving
        return _score(model, model.matrix(rows), london_day(self._clock.now()))

    def watch(self, every_seconds: float = WATCH_SECONDS) -> None:
        """Look for a promotion every few seconds, in a thread that ends with the process."""
        if self._watcher is None:
            self._watcher = threading.Thread(
                target=self._watch, args=(every_seconds,), name="model-watch", daemon=True
            )
            self._watcher.start()

    def stop(self) -> None:
        """End the watching."""
        self._stopped.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
        self._stopped.clear()

    def refresh(self) -> ServingStatus:
        """Swap to the promoted version if it is another one and sound; return the status.

        A version that was refused is not tried again until something is promoted again. The files
        of the version that serves are looked at too.
        """
        with self._swapping:
            serving = self._serving
            try:
                promoted_at = promoted_when(self._registry, self._name)
                pointer = pointed(self._registry, self._name)
            except EarlyflagError as error:
                self._status = ServingStatus(serving.info.full_version, None, str(error))
                return self._status
            full_version = f"{pointer.name}/{pointer.version}"
            if pointer.manifest_sha256 == serving.manifest_sha256:
                self._refused = None
                problem = self._soundness.problem()
                self._tell_damage(problem, full_version)
                self._status = ServingStatus(serving.info.full_version, full_version, problem)
            elif (pointer, promoted_at) != self._refused:
                self._refused = self._swap(pointer, full_version, promoted_at)
            return self._status

    def _swap(
        self, pointer: Pointer, full_version: str, promoted_at: int
    ) -> tuple[Pointer, int] | None:
        """Load the version that a pointer names and let it serve, or return what was refused."""
        log = get_logger()
        try:
            loaded = self._load(pointer)
        except EarlyflagError as error:
            serving = self._serving.info.full_version
            self._status = ServingStatus(serving, full_version, str(error))
            log.warning("model_refused", model_version=full_version, error=type(error).__name__)
            return pointer, promoted_at
        self._serving, self._soundness = loaded, self._soundness_of(pointer)
        self._status = ServingStatus(full_version, full_version)
        log.info("model_swapped", model_version=full_version)
        if self._on_swap is not None:
            self._on_swap(loaded.info)
        return None

    def _soundness_of(self, pointer: Pointer) -> Soundness:
        return Soundness(
            self._registry / pointer.name / pointer.version,
            pointer.manifest_sha256,
            hash_again_seconds=self._hash_again_seconds,
        )

    def _tell_damage(self, problem: str, full_version: str) -> None:
        """Log damage to the files of the version that serves, once, not at every look."""
        if problem and problem != self._status.problem:
            get_logger().error("model_damaged_on_disk", model_version=full_version)

    def _load(self, pointer: Pointer) -> ServedModel:
        """Load a version and score rows with it, so that its first request finds it warm."""
        model = load(
            self._registry / pointer.name / pointer.version,
            manifest_sha256=pointer.manifest_sha256,
            time_limit_seconds=self._time_limit_seconds,
        )
        for rows in (1, FEW + 1):  # one row and several are walked by different routes
            _score(model, np.zeros((rows, len(model.features))), date(2000, 1, 1))
        return model

    def _watch(self, every_seconds: float) -> None:
        while not self._stopped.wait(every_seconds):
            try:
                self.refresh()
            except Exception as error:  # a thread that ended would leave readiness green for good
                kind = type(error).__name__
                get_logger().error("model_watch_failed", error=kind)
                serving = self._serving.info.full_version
                self._status = ServingStatus(
                    serving,
                    None,
                    f"The registry could not be looked at ({kind}). {serving} goes on answering; "
                    "the next look is in a moment.",
                )


def _score(model: ServedModel, rows: np.ndarray, as_of: date) -> Sequence[Score]:
    names = [str(number) for number in range(1, len(rows) + 1)]
    scored = score(model, names, rows, as_of, threads=1)
    return tuple(scored.scores(with_changes=True))
