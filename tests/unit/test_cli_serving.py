"""Serving begins with the pages whatever the model's state, and readiness tells of it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest
from starlette.testclient import TestClient

from earlyflag.casework.desk import Rules, open_desk, system_actor
from earlyflag.casework.machine_keys import make_key
from earlyflag.casework.people import make_demo_accounts
from earlyflag.cli.serving import build_app, prepare_database
from earlyflag.core.clock import SystemClock
from earlyflag.core.errors import SettingsInvalid
from earlyflag.core.settings import Settings
from earlyflag.modelling import artefact
from earlyflag.modelling.awaited import TRY_AGAIN_SECONDS, AwaitedModel
from earlyflag.store.terms import Scope
from tests import modelling_samples as samples

ORIGIN = "http://127.0.0.1:8000"


def served(home: Path) -> TestClient:
    settings = Settings(home=home, public_origin=ORIGIN)
    settings.home_folder.root.mkdir(parents=True, exist_ok=True)
    return TestClient(build_app(settings, "127.0.0.1", 8000, "sample"), base_url=ORIGIN)


def a_key(home: Path) -> str:
    """Return a new machine key that may have rows scored."""
    settings, now = Settings(home=home, public_origin=ORIGIN), SystemClock().now()
    rules, actor = Rules.of(settings), system_actor("keys")
    engine = prepare_database(settings)
    with open_desk(engine, actor, now=now, rules=rules) as desk:
        secret, _key = make_key(desk, "Case system", [Scope.SCORE])
    engine.dispose()
    return secret


@pytest.mark.parametrize("file", ["model.txt", "manifest.json", "golden.json"])
def test_a_damaged_champion_leaves_the_pages_and_readiness_says_so(tmp_path: Path, file: str):
    registry = Settings(home=tmp_path).home_folder.registry
    samples.write(registry / "sample" / "1", samples.lightgbm_sample())
    artefact.point(registry, "sample", "1")
    damaged = registry / "sample" / "1" / file
    damaged.write_bytes(damaged.read_bytes()[:-20])
    client = served(tmp_path)
    assert client.get("/sign-in").status_code == 200
    assert client.get("/health/live").status_code == 200
    ready = client.get("/health/ready")
    assert ready.status_code == 503
    assert "another version is promoted" in ready.json()["checks"]["model"]
    headers = {"Authorization": f"Bearer {a_key(tmp_path)}"}
    rows = {"rows": [{"feature_0": 1}]}
    what_if = client.post("/api/v1/score", json=rows, headers=headers)
    assert what_if.status_code == 503
    assert what_if.json()["detail"] == ready.json()["checks"]["model"]
    assert str(tmp_path) not in what_if.text


def test_a_champion_damaged_while_it_serves_is_told_by_readiness_and_goes_on(tmp_path: Path):
    registry = Settings(home=tmp_path).home_folder.registry
    samples.write(registry / "sample" / "1", samples.lightgbm_sample())
    artefact.point(registry, "sample", "1")
    client = served(tmp_path)
    assert client.get("/health/ready").status_code == 200
    damaged = registry / "sample" / "1" / "model.txt"
    damaged.write_bytes(damaged.read_bytes()[:-20])
    client.app.state.site.scorer.look()  # type: ignore[attr-defined]
    ready = client.get("/health/ready")
    assert ready.status_code == 503
    assert "model.txt of model version 1 differs" in ready.json()["checks"]["model"]
    headers = {"Authorization": f"Bearer {a_key(tmp_path)}"}
    rows = {"rows": [{"feature_0": 1}]}
    what_if = client.post("/api/v1/score", json=rows, headers=headers)
    assert what_if.status_code == 200
    assert what_if.json()["model_version"] == "sample/1"


def test_without_a_champion_the_service_is_ready_and_takes_the_first_one_up(tmp_path: Path):
    client = served(tmp_path)
    assert client.get("/health/ready").status_code == 200
    headers = {"Authorization": f"Bearer {a_key(tmp_path)}"}
    rows = {"rows": [{"feature_0": 1}]}
    early = client.post("/api/v1/score", json=rows, headers=headers)
    assert early.status_code == 503
    assert "earlyflag promote" in early.json()["detail"]
    registry = Settings(home=tmp_path).home_folder.registry
    samples.write(registry / "sample" / "1", samples.lightgbm_sample())
    artefact.point(registry, "sample", "1")
    assert client.app.state.site.scorer.look()  # type: ignore[attr-defined]
    what_if = client.post("/api/v1/score", json=rows, headers=headers)
    assert what_if.status_code == 200
    assert what_if.json()["model_version"] == "sample/1"


def test_a_champion_that_was_refused_is_tried_again_when_promoted_anew_or_after_a_while(
    tmp_path: Path,
):
    samples.write(tmp_path / "sample" / "1", samples.lightgbm_sample())
    artefact.point(tmp_path, "sample", "1")
    damaged = tmp_path / "sample" / "1" / "model.txt"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-20])
    now = [0.0]
    awaited = AwaitedModel(tmp_path, "sample", seconds=lambda: now[0])
    assert "model.txt" in awaited.status().problem
    damaged.write_bytes(whole)
    assert not awaited.look()
    now[0] += TRY_AGAIN_SECONDS
    assert awaited.look()
    assert awaited.status().problem == ""
    assert awaited.model.full_version == "sample/1"


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7", "flags.example"])
def test_the_demos_sign_ins_are_not_served_beyond_this_machine(tmp_path: Path, host: str):
    settings = Settings(home=tmp_path, public_origin=ORIGIN)
    settings.home_folder.open()
    engine = prepare_database(settings)
    make_demo_accounts(engine, now=datetime(2026, 10, 1, tzinfo=UTC), rules=Rules.of(settings))
    engine.dispose()
    with pytest.raises(SettingsInvalid, match="this machine only"):
        build_app(settings, host, 8000, "sample")
    at_home = TestClient(build_app(settings, "127.0.0.1", 8000, "sample"), base_url=ORIGIN)
    assert at_home.get("/sign-in").status_code == 200


def test_several_workers_answer_at_one_address_and_add_their_figures_up(tmp_path: Path):
    Settings(home=tmp_path).home_folder.open()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = Path(sys.executable).with_name("earlyflag")
    serving = subprocess.Popen(
        [command, "--home", tmp_path, "serve", "--port", str(port), "--workers", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        asked, deadline = 0, time.monotonic() + 90
        while asked < 12:
            with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/health/live"):
                asked += 1
                continue
            assert serving.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            figures = answer.read().decode()
        counted = re.search(r'requests_total\{.*"/health/live".*\} ([0-9.]+)', figures)
        assert counted is not None
        assert float(counted.group(1)) == asked
    finally:
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(30) == 0
