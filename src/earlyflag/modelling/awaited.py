"""A model that may not be there yet: a server begins without one and takes it up when it comes.

Without a sound champion the pages are served all the same, since the work on flags does not wait
for a model. A promotion, or a mended file, is noticed without a restart.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from earlyflag.core.errors import ArtefactDamaged, StepMissing
from earlyflag.core.logging import get_logger
from earlyflag.core.terms import ModelInfo, Score, ServingStatus
from earlyflag.modelling.artefact import promoted_when
from earlyflag.modelling.live import WATCH_SECONDS, LiveModel

TRY_AGAIN_SECONDS = 60.0
"""After how long a champion that was refused is looked at again although nothing was promoted."""


class AwaitedModel:
    """Answers as `LiveModel` does from the moment at which a sound champion is there.

    Parameters
    ----------
    registry : the folder of exported models
    name : whose champion serves
    seconds : a clock that only goes forward
    """

    def __init__(
        self, registry: Path, name: str, *, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._registry, self._name = registry, name
        self._seconds = seconds
        self._live: LiveModel | None = None
        self._trouble = ""
        self._refused: tuple[int, float] | None = None
        self.look()

    @property
    def model(self) -> ModelInfo:
        """The model that answers now.

        Raises
        ------
        StepMissing
            There is none yet.
        """
        return self._here().model

    def score(self, rows: Sequence[Mapping[str, float | None]]) -> Sequence[Score]:
        """Return one score a row, in order; `StepMissing` says why where there is no model yet."""
        return self._here().score(rows)

    def status(self) -> ServingStatus:
        """Return what serves and whether it is what was promoted. Having none yet is no fault."""
        if self._live is not None:
            return self._live.status()
        return ServingStatus("", None, self._trouble)

    def look(self) -> bool:
        """Look at the registry at once; return whether a model answers now."""
        if self._live is not None:
            self._live.refresh()
            return True
        promoted_at, now = promoted_when(self._registry, self._name), self._seconds()
        if self._refused is not None:
            refused_at, until = self._refused
            if refused_at == promoted_at and now < until:
                return False
        try:
            self._live = LiveModel(self._registry, self._name)
        except StepMissing:
            self._trouble = ""
        except ArtefactDamaged as error:
            self._refused = promoted_at, now + TRY_AGAIN_SECONDS
            self._trouble = (
                f"{error} What-ifs are not answered until it is mended or another version is "
                "promoted."
            )
            get_logger().error("model_refused", error=type(error).__name__)
        else:
            self._trouble = ""
        return self._live is not None

    def watch(self, every_seconds: float = WATCH_SECONDS) -> None:
        """Look for a champion, and then for promotions, in threads that end with the process."""
        waiting = threading.Thread(
            target=self._wait, args=(every_seconds,), name="model-wait", daemon=True
        )
        waiting.start()

    def _wait(self, every_seconds: float) -> None:
        while not self._has_one():
            time.sleep(every_seconds)
        self._here().watch(every_seconds)

    def _has_one(self) -> bool:
        try:
            return self.look()
        except Exception as error:  # a thread that ended would never take a model up
            kind = type(error).__name__
            self._trouble = f"The registry could not be looked at ({kind})."
            get_logger().error("model_watch_failed", error=kind)
            return False

    def _here(self) -> LiveModel:
        if self._live is None:
            raise StepMissing(
                self._trouble
                or "No model is being served yet. Train and promote one (earlyflag train, "
                "earlyflag promote); the server takes it up by itself."
            )
        return self._live
