"""From nothing to explained flags, by the commands a new user runs."""

from __future__ import annotations

import csv
import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from starlette.testclient import TestClient

from earlyflag import casework, store
from earlyflag.cli.serving import build_app
from earlyflag.core.settings import load_settings

from .conftest import run_earlyflag

NOW = datetime(2026, 10, 5, 9, tzinfo=UTC)


def test_the_demo_run_again_reuses_what_is_there_and_says_so(demo_home: Path):
    done = run_earlyflag("demo", "--no-serve", "--households", "2000", home=demo_home)
    assert done.returncode == 0, done.stderr
    assert "reused" in done.stderr
    assert "is champion already" in done.stderr
    assert "raised before" in done.stderr


def test_a_demo_of_another_size_is_refused_and_nothing_is_lost(demo_home: Path):
    done = run_earlyflag("demo", "--no-serve", "--households", "3000", home=demo_home)
    assert done.returncode == 63
    assert "holds a demo of 2,000 households" in done.stderr
    assert (demo_home / "extracts" / "borough.json").is_file()


def test_the_fairness_audit_counts_the_listed_by_group_and_withholds_small_counts(demo_home: Path):
    done = run_earlyflag("fairness", home=demo_home)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    tenures = lines[next(n for n, line in enumerate(lines) if line[:1] == ["Tenure"]) + 1 :]
    counts = [line[-3] for line in tenures[: tenures.index([])]]
    assert sum(int(count) for count in counts if count != "withheld") > 0
    assert all(count == "withheld" or int(count) >= 10 for count in counts)


def test_every_exported_score_is_of_a_household_that_is_not_suppressed(demo_home: Path, tmp_path):
    out = tmp_path / "scores.csv"
    done = run_earlyflag(
        "scores", "export", "--as-of", "latest", "--out", str(out), "--purpose", "a test",
        home=demo_home,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == [
        "household_id", "uprn", "as_of", "probability", "band", "rank", "model_version",
    ]  # fmt: skip
    assert len(rows) > 1_500
    assert all(0 < float(row["probability"]) < 1 for row in rows)
    settings = load_settings(demo_home)
    actor, rules = casework.system_actor("test"), casework.Rules.of(settings)
    engine = store.connect(settings.database)
    with casework.open_desk(engine, actor, now=NOW, rules=rules) as desk:
        suppressed = desk.unit.suppressions.households_on(desk.today)
        written = desk.unit.audit.page(action="scores_exported", limit=5)
    assert suppressed
    assert not {row["household_id"] for row in rows} & set(suppressed)
    assert written[0].purpose == "a test"


def test_the_same_scoring_twice_is_one_run(demo_home: Path):
    first = run_earlyflag("score", home=demo_home)
    again = run_earlyflag("score", "--as-of", "2026-10-01", home=demo_home)
    assert first.returncode == again.returncode == 0, again.stderr
    assert first.stdout == again.stdout
    assert "published before; kept" in again.stderr


def test_only_a_larger_capacity_changes_a_run_and_only_so_far_as_its_reasons_go(
    tmp_path, demo_home
):
    home = tmp_path / "home"
    shutil.copytree(demo_home, home)
    raised = load_settings(home).capacity

    def flagged(told: str) -> int:
        return int(re.search(r"^flagged\s+([\d,]+)", told, re.M).group(1).replace(",", ""))

    before = flagged(run_earlyflag("score", home=home).stdout)
    smaller = run_earlyflag("score", "--capacity", "1", home=home)
    assert smaller.returncode == 0, smaller.stderr
    assert flagged(smaller.stdout) == before
    assert "takes none of them back" in smaller.stdout
    larger = run_earlyflag("score", "--capacity", str(raised + 20), home=home)
    assert larger.returncode == 0, larger.stderr
    assert flagged(larger.stdout) == before + 20
    assert re.search(rf"added, beyond a capacity of {raised}\s+20\b", larger.stdout)
    too_large = run_earlyflag("score", "--capacity", str(3 * raised + 1), home=home)
    assert too_large.returncode == 2
    assert f"at most {3 * raised}" in too_large.stderr


def test_capacity_says_what_is_missed(demo_home: Path):
    done = run_earlyflag("capacity", home=demo_home)
    assert done.returncode == 0, done.stderr
    assert "Missed of all duties" in done.stdout
    assert "Without any list" in done.stdout


def test_linkage_against_the_truth_is_told_as_json(demo_home: Path):
    truth = str(demo_home / "extracts" / "truth")
    done = run_earlyflag("link", "quality", "--truth", truth, "--json", home=demo_home)
    assert done.returncode == 0, done.stderr
    judged = json.loads(done.stdout)["against_truth"]["between_sources"]
    assert judged["precision"] >= 0.98
    assert judged["recall"] >= 0.93


def test_an_override_stands_on_the_card_where_the_gate_refused(demo_home: Path):
    folder = demo_home / "registry" / "early_intervention" / "1"
    promotion = json.loads((folder / "promotion.json").read_text())
    refused = [each for each in promotion["findings"] if not each["passes"]]
    card = (folder / "card.md").read_text()
    assert promotion["reason"] in card
    assert bool(refused) == (promotion["overridden_by"] is not None)


def test_a_reviewer_sees_a_flag_with_its_reasons_and_the_api_the_same_figure(demo_home: Path):
    settings = load_settings(demo_home)
    engine = store.connect(settings.database)
    rules = casework.Rules.of(settings)
    passwords = casework.make_demo_accounts(engine, now=datetime.now(UTC), rules=rules)
    site = build_app(settings, "127.0.0.1", 8000, "early_intervention")
    with TestClient(site, base_url="http://127.0.0.1:8000") as client:
        page = client.get("/sign-in").text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        form = {"username": "reviewer", "password": passwords["reviewer"], "csrf_token": token}
        client.post("/sign-in", data=form, headers={"Origin": "http://127.0.0.1:8000"})
        tray = client.get("/work/unassigned")
        assert "Unassigned" in tray.text
        household_id = tray.text.split('href="/households/')[1].split('"')[0].split("?")[0]
        shown = client.get(f"/households/{household_id}")
        assert shown.status_code == 200
        assert "What the records show" in shown.text
        assert "What is not known" in shown.text
        told = client.get(f"/api/v1/households/{household_id}/score").json()
    assert abs(told["base_log_odds"] + sum(r["contribution"] for r in told["reasons"])
               - told["log_odds"]) < 1e-9  # fmt: skip
    assert told["reasons"][0]["sentence"] in shown.text.replace("&#39;", "'")


def test_what_is_kept_of_a_model_names_no_person_address_or_reference(demo_home: Path):
    engine = store.connect(load_settings(demo_home).database)
    with engine.connect() as connection:
        known = [
            str(value)
            for query in (
                "SELECT name FROM household_members WHERE name <> ''",
                "SELECT address FROM households WHERE address <> 'address not known'",
                "SELECT person_ref FROM household_members",
                "SELECT reference FROM household_references",
                "SELECT household_id FROM households",
            )
            for value in connection.exec_driver_sql(query).scalars()
        ]
    engine.dispose()
    assert len(set(known)) > 5_000
    # a reference of nine digits stands by chance among the decimals of a figure
    planted = re.compile(rb"(?<![\w.])[A-Z0-9][A-Z0-9-]{7,}(?!\w)")
    references = {value.encode() for value in known if planted.fullmatch(value.encode())}
    words = [value.encode() for value in set(known) if " " in value]
    assert min(len(references), len(words)) > 1_000
    files = [
        file
        for folder in ("mlflow", "registry")
        for file in (demo_home / folder).rglob("*")
        if file.is_file()
    ]
    assert any(file.suffix == ".db" for file in files)
    for file in files:
        content = file.read_bytes()
        assert not references & set(planted.findall(content)), file.name
        assert not [one for one in words if one in content], file.name
