"""Promotions under load: no failed request, every score the one of its stated version."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from earlyflag import casework
from earlyflag.casework.desk import open_desk, system_actor
from earlyflag.modelling import artefact
from earlyflag.modelling.live import LiveModel
from earlyflag.store.terms import Scope
from tests import modelling_samples as samples
from tests.web.conftest import make_world, rules

PER_SECOND = 50
ROWS = [{"feature_0": number / 7, "feature_1": 2.0, "feature_2": None} for number in range(25)]


@pytest.mark.parametrize("swaps", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_swaps_under_load_fail_no_request_and_mix_no_versions(
    borough_file: Path, tmp_path: Path, swaps: int
) -> None:
    registry = tmp_path / "registry"
    samples.write(registry / "sample" / "1", samples.lightgbm_sample())
    samples.write(registry / "sample" / "2", samples.logistic_sample(), version="2")
    expected = {}
    for version in ("2", "1"):
        artefact.point(registry, "sample", version)
        live = LiveModel(registry, "sample")
        expected[f"sample/{version}"] = [live.score([row])[0].log_odds for row in ROWS]
    world = make_world(borough_file, tmp_path, scorer=live)
    with open_desk(
        world.engine, system_actor("tests"), now=world.clock.now(), rules=rules()
    ) as desk:
        secret, _ = casework.make_key(desk, "case system", [Scope.SCORE])
    client = world.client()
    finished = threading.Event()
    seen: list[str] = []

    def ask(number: int) -> None:
        place = number % len(ROWS)
        answer = client.post(
            "/api/v1/score",
            json={"rows": [ROWS[place]]},
            headers={"Authorization": f"Bearer {secret}"},
        )
        assert answer.status_code == 200, answer.text
        body = answer.json()
        version = body["model_version"]
        assert body["scores"][0]["log_odds"] == pytest.approx(expected[version][place], abs=1e-12)
        seen.append(version)

    def promote() -> None:
        try:
            for swap in range(swaps):
                artefact.point(registry, "sample", "2" if swap % 2 == 0 else "1")
                assert live.refresh().problem == ""
        finally:
            finished.set()

    with client, ThreadPoolExecutor(8) as pool:
        promoting = pool.submit(promote)
        asked, begun, limit = [], time.monotonic(), 60 + 10 * swaps
        while not finished.is_set() and time.monotonic() - begun < limit:
            asked.append(pool.submit(ask, len(asked)))
            time.sleep(max(0.0, begun + len(asked) / PER_SECOND - time.monotonic()))
        promoting.result()
        for one in asked:
            one.result()
    world.engine.dispose()
    assert finished.is_set()
    assert set(seen) == {"sample/1", "sample/2"}
