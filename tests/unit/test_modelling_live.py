"""Serving follows promotions without a gap, and never serves what failed its checks."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from earlyflag.core.clock import FixedClock
from earlyflag.core.errors import (
    ArtefactDamaged,
    InputInvalid,
    StepMissing,
)
from earlyflag.core.terms import LiveScorer
from earlyflag.modelling import artefact, soundness
from earlyflag.modelling.live import LiveModel
from tests import modelling_samples as samples

CLOCK = FixedClock(datetime(2026, 5, 31, 23, 30, tzinfo=UTC))
ROW = {"feature_0": 1.5, "feature_1": 2.0, "feature_2": None}


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return a registry with a tree model as champion and a logistic one registered beside it."""
    samples.write(tmp_path / "sample" / "1", samples.lightgbm_sample())
    samples.write(tmp_path / "sample" / "2", samples.logistic_sample(), version="2")
    artefact.point(tmp_path, "sample", "1")
    return tmp_path


@pytest.fixture
def live(registry: Path) -> LiveModel:
    return LiveModel(registry, "sample", clock=CLOCK)


def test_importing_live_loads_no_training_library():
    heavy = ["sklearn", "lightgbm", "mlflow", "shap", "pandas", "duckdb", "matplotlib"]
    code = (
        "import sys, earlyflag.modelling.live\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_rows_are_scored_with_reasons_that_add_up_on_todays_london_day(live: LiveModel):
    scorer: LiveScorer = live
    first, second = scorer.score([ROW, {"feature_0": -1.0}])
    assert first.model_version == "sample/1" == scorer.model.full_version
    assert str(first.as_of) == "2026-06-01"
    assert (first.household_id, first.rank, second.household_id, second.rank) == ("1", 1, "2", 2)
    for each in (first, second):
        total = each.base_log_odds + sum(reason.contribution for reason in each.reasons)
        assert total == pytest.approx(each.log_odds, abs=1e-9)
    row = np.full((1, samples.N_FEATURES), np.nan)
    row[0, :2] = 1.5, 2.0
    raw = samples.lightgbm_sample().raw(row)[0]
    assert first.log_odds == pytest.approx(0.9 * raw - 0.3, abs=1e-9)


def test_a_row_with_an_undeclared_feature_or_an_endless_value_is_refused(live: LiveModel):
    with pytest.raises(InputInvalid, match="1 of the named features") as caught:
        live.score([{"shoe_size": 44.0}])
    assert (caught.value.field, caught.value.got) == ("shoe_size", "an undeclared name")
    with pytest.raises(InputInvalid) as caught:
        live.score([ROW, {"feature_1": float("inf")}])
    assert caught.value.field == "feature_1"
    for rows in ([], [ROW] * 1001):
        with pytest.raises(InputInvalid, match="1 to 1,000"):
            live.score(rows)
    assert len(live.score([ROW] * 1000)) == 1000


def test_true_and_false_are_answers_and_never_numbers(registry: Path):
    facts = list(samples.features())
    facts[3] = replace(facts[3], unit="yes or no")
    samples.write(
        registry / "sample" / "3", samples.lightgbm_sample(), version="3", features=tuple(facts)
    )
    artefact.point(registry, "sample", "3")
    live = LiveModel(registry, "sample", clock=CLOCK)
    answered, counted = live.score([{"feature_3": True}, {"feature_3": 1.0}])
    assert answered.log_odds == counted.log_odds
    with pytest.raises(
        InputInvalid, match="1 of the features that came as true or false"
    ) as caught:
        live.score([ROW, {"feature_3": False, "feature_1": True}])
    assert (caught.value.field, caught.value.got) == ("feature_1", "true or false")
    assert caught.value.expected == "a number (count)"


def test_a_promotion_is_followed_once_its_version_passed_its_checks(registry, live):
    swapped: list[str] = []
    live._on_swap = lambda info: swapped.append(info.full_version)
    assert live.refresh().serving == "sample/1"
    artefact.point(registry, "sample", "2")
    status = live.refresh()
    assert (status.serving, status.promoted, status.is_ready) == ("sample/2", "sample/2", True)
    assert live.score([ROW])[0].model_version == "sample/2"
    assert swapped == ["sample/2"]


def test_a_damaged_version_leaves_the_old_one_serving_and_says_so_until_mended(registry, live):
    artefact.point(registry, "sample", "2")
    model = registry / "sample" / "2" / "model.json"
    sound = model.read_bytes()
    model.write_bytes(sound[:-9])
    status = live.refresh()
    assert (status.serving, status.promoted, status.is_ready) == ("sample/1", "sample/2", False)
    assert "model.json" in status.problem
    assert live.score([ROW])[0].model_version == "sample/1"
    model.write_bytes(sound)
    assert not live.refresh().is_ready  # refused once, it waits for a new promotion
    artefact.point(registry, "sample", "2")
    assert live.refresh().serving == "sample/2"
    assert live.status().is_ready


def test_damage_after_loading_leaves_the_model_serving_and_says_so_until_mended(registry, live):
    assert live.refresh().is_ready
    model = registry / "sample" / "1" / "model.txt"
    sound = model.read_bytes()
    model.write_bytes(sound[:100] + bytes([sound[100] ^ 1]) + sound[101:])
    status = live.refresh()
    assert (status.serving, status.promoted, status.is_ready) == ("sample/1", "sample/1", False)
    assert "model.txt of model version 1 differs" in status.problem
    assert "goes on answering" in status.problem
    assert str(registry) not in status.problem
    assert live.score([ROW])[0].model_version == "sample/1"
    model.write_bytes(sound)
    assert live.refresh().is_ready


def test_a_missing_file_or_folder_of_the_serving_model_is_told(registry, live):
    (registry / "sample" / "1" / "golden.json").unlink()
    assert "lacks golden.json" in live.refresh().problem
    (registry / "sample" / "1").rename(registry / "sample" / "gone")
    assert "lacks manifest.json" in live.refresh().problem
    assert live.score([ROW])[0].model_version == "sample/1"


def test_files_are_hashed_when_they_look_changed_and_else_only_now_and_then(registry, monkeypatch):
    hashed: list[int] = []
    now = 1000.0
    folder = registry / "sample" / "1"
    digest = artefact.pointed(registry, "sample").manifest_sha256
    watched = soundness.Soundness(folder, digest, hash_again_seconds=60, seconds=lambda: now)
    monkeypatch.setattr(soundness, "verify", lambda *of: hashed.append(1) or artefact.verify(*of))
    for _ in range(3):
        assert watched.problem() == ""
    assert len(hashed) == 1
    now += 60
    assert watched.problem() == ""
    assert len(hashed) == 2
    (folder / "golden.json").touch()
    assert watched.problem() == ""
    assert len(hashed) == 3


def test_a_version_that_takes_too_long_does_not_serve(registry, live):
    artefact.point(registry, "sample", "2")
    live._time_limit_seconds = 0.01
    assert "within 0.01 seconds" in live.refresh().problem
    assert live.model.version == "1"


def test_an_unreadable_pointer_leaves_the_model_serving(registry, live):
    (registry / "sample" / "champion.json").write_text("{")
    status = live.refresh()
    assert (status.serving, status.promoted) == ("sample/1", None)
    assert "cannot be read" in status.problem


def test_the_watch_outlives_what_nobody_foresaw_and_readiness_tells_of_it(live, monkeypatch):
    failed = threading.Event()

    def fail() -> None:
        failed.set()
        raise PermissionError

    with monkeypatch.context() as broken:
        broken.setattr(live, "refresh", fail)
        live.watch(every_seconds=0.01)
        assert failed.wait(30)
        _until(lambda: "PermissionError" in live.status().problem)
    assert live.score([ROW])[0].model_version == "sample/1"
    _until(lambda: live.status().is_ready)
    live.stop()


def _until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fail when it does not come."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_without_a_sound_champion_nothing_starts(registry):
    with pytest.raises(StepMissing, match="promote"):
        LiveModel(registry, "other")
    (registry / "sample" / "1" / "calibration.json").write_text("{}")
    with pytest.raises(ArtefactDamaged):
        LiveModel(registry, "sample")


def test_requests_during_swaps_each_get_one_versions_score(registry, live):
    expected = {}
    for version, sample in (("1", samples.lightgbm_sample()), ("2", samples.logistic_sample())):
        row = np.full((1, samples.N_FEATURES), np.nan)
        row[0, 0], row[0, 1] = 1.5, 2.0
        expected[f"sample/{version}"] = 0.9 * sample.raw(row)[0] - 0.3
    live.watch(every_seconds=0.02)
    wrong: list[str] = []
    seen: set[str] = set()
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            found = live.score([ROW])[0]
            seen.add(found.model_version)
            if abs(found.log_odds - expected[found.model_version]) > 1e-9:
                wrong.append(found.model_version)
            time.sleep(0.01)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    for version in ("2", "1"):
        artefact.point(registry, "sample", version)
        deadline = time.monotonic() + 30
        while live.model.version != version and time.monotonic() < deadline:
            time.sleep(0.02)
    ended.set()
    for asker in askers:
        asker.join()
    live.stop()
    assert live.model.version == "1"
    assert wrong == []
    assert seen == {"sample/1", "sample/2"}
