"""A whole training on made-up households: judged, registered, promoted, and served alike."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd
import pytest
import yaml

from earlyflag.core.errors import (
    Misused,
    NotFound,
    PromotionRefused,
    SpecificationInvalid,
    StepMissing,
    UndeclaredFeature,
    WindowsOverlap,
)
from earlyflag.core.home import Home
from earlyflag.modelling import Specification, cross_validated, fit, load_table, plots, steps
from earlyflag.modelling import registry as models
from earlyflag.modelling.against import against
from earlyflag.modelling.promotion import findings
from earlyflag.modelling.rows import select
from earlyflag.modelling.tables import span
from earlyflag.modelling.tracking import tracking
from earlyflag.modelling.windows import Windows
from earlyflag.reporting import card

DAYS = [date(2022, 1, 1), date(2022, 7, 1), date(2024, 1, 1), date(2024, 7, 1)]
WINDOWS = Windows((DAYS[0], DAYS[1]), (DAYS[2], DAYS[3]))
NAMES = ("debt", "missed", "noise")

SPECIFICATION = {
    "name": "trial",
    "title": "A trial",
    "purpose": "Test the training.",
    "not_for": ["anything else"],
    "label": {"event": "owed_duty", "horizon_months": 12},
    "cut_offs": {"train": DAYS[:2], "test": DAYS[2:]},
    "catalogue": "catalogue.yaml",
    "capacities": [50, 100],
    "folds": 3,
    "replicates": 60,
    "slices": ["tenure", "reason_for_loss"],
    "audit": {"groups": ["sex", "tenure"], "intersections": [["sex", "tenure"]]},
    "rules": {"debt": "debt"},
    "candidates": [
        {"family": "logistic", "settings": {"knots": 4, "penalty": 5}},
        {"family": "lightgbm", "settings": {"rounds": 60, "leaves": 4}},
    ],
}
CATALOGUE = {
    "features": {
        "debt": {"title": "Debt", "sentence": "Owes money", "group": "money", "monotone": 1},
        "missed": {"title": "Missed", "group": "money"},
        "noise": {"title": "Noise"},
    },
    "groups": {"money": "Money"},
    "audit": ["sex", "tenure", "reason_for_loss"],
}


def households():
    generator = np.random.default_rng(21)
    per_day, n = 1200, 4800
    debt = generator.gamma(1.0, 100.0, n).astype(np.float32)
    missed = generator.poisson(0.5, n).astype(np.float32)
    missed[generator.random(n) < 0.1] = np.nan
    odds = -3.4 + 0.008 * np.minimum(debt, 400) + 0.7 * np.nan_to_num(missed, nan=0.5)
    chance = 1 / (1 + np.exp(-odds))
    label = (generator.random(n) < chance).astype(float)
    return pd.DataFrame(
        {
            "household_id": [f"SECRET{number % per_day:05d}" for number in range(n)],
            "as_of": pd.to_datetime(np.repeat(DAYS, per_day)),
            "debt": debt,
            "missed": missed,
            "noise": generator.normal(size=n).astype(np.float32),
            "label": label,
            "sex": generator.choice(["female", "male"], n),
            "tenure": generator.choice(["council", "private", "owner"], n, p=[0.4, 0.4, 0.2]),
            "reason_for_loss": np.where(label == 1, "other", None),
            "oracle": chance,
        }
    )


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    households().drop(columns="oracle").to_parquet(folder / "table.parquet")
    (folder / "catalogue.yaml").write_text(yaml.safe_dump(CATALOGUE), encoding="utf-8")
    (folder / "trial.yaml").write_text(yaml.safe_dump(SPECIFICATION), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def specification(own):
    return Specification.load(own / "trial.yaml")


@pytest.fixture(scope="module")
def table(own, specification):
    return load_table(own / "table.parquet", specification, beside=own / "trial.yaml")


@pytest.fixture(scope="module")
def fitted(specification, table):
    ticks = []
    whole = households()
    result = fit(
        specification, table.frame, table.catalogue, windows=WINDOWS, audit=table.audit,
        truth=whole[["household_id", "as_of", "oracle"]],
        delayed=table.frame[table.frame["as_of"].isin(pd.to_datetime(DAYS[2:]))],
        unlinked={DAYS[2]: 30.0}, threads=1, advance=ticks.append,
    )  # fmt: skip
    assert sum(ticks) == steps(specification)
    return result


def test_the_model_finds_the_signal_and_never_beats_the_oracle(fitted):
    results = fitted.results
    assert results["oracle"]["share_reached"]["value"] > 0.8
    assert results["oracle"]["difference"]["low"] < 0
    assert results["best_rule"]["difference"]["low"] > 0
    assert not any(alarm["rings"] for alarm in results["leakage"][1:])


def test_its_probabilities_are_calibrated_on_cut_offs_it_never_saw(fitted):
    calibration = fitted.results["calibration"]
    assert calibration["slope"]["low"] < 1 < calibration["slope"]["high"]
    assert 0.8 < calibration["observed_over_expected"]["value"] < 1.25


def test_the_run_holds_every_figure_that_the_card_and_the_gate_need(fitted):
    results = fitted.results
    json.dumps(results)
    assert set(results["families"]) == {"logistic", "lightgbm"}
    assert set(results["rules"]) == {"random", "debt"}
    assert set(results["fairness"]) == {"sex", "tenure", "sex x tenure"}
    assert set(results["by_cut_off"]) == {"2024-01-01", "2024-07-01"}
    recall = results["performance"]["recall_at_100"]["value"]
    assert results["performance"]["recall_all_at_100"]["value"] < recall
    chosen = f"The {results['model']['family']} candidate was chosen"
    assert results["model"]["choice"]["sentence"].startswith(chosen)
    assert any("council tax debt" in note for note in results["assessment_notes"])


def with_a_planted_leak(specification, table, **columns):
    """Return the results of a training whose table holds columns that know the label."""
    frame = table.frame.assign(**columns)
    catalogue = table.catalogue | {
        name: replace(table.catalogue["noise"], name=name) for name in columns
    }
    small = specification.model_copy(update={"candidates": specification.candidates[1:]})
    older = table.frame[table.frame["as_of"].isin(pd.to_datetime(DAYS[2:]))]
    delayed = older.assign(**dict.fromkeys(columns, 0.0))  # a month earlier nothing is known
    found = fit(small, frame, catalogue, windows=WINDOWS, delayed=delayed, threads=1)
    return found.results


def rung(results):
    return {each["name"] for each in results["leakage"] if each["rings"]}


def refused_for(results):
    return {each.name for each in findings(results, card="card") if not each.passes}


def test_a_feature_that_knows_the_label_rings_every_alarm(specification, table):
    label = table.frame["label"].to_numpy()
    noise = np.random.default_rng(4).normal(0, 0.15, len(label))
    results = with_a_planted_leak(specification, table, case_opened=(label + noise))
    assert rung(results) == {"single_feature", "auc_ceiling", "delayed_features"}
    alarms = {f"leakage_{name}" for name in rung(results)}
    assert alarms <= refused_for(results)
    single = next(each for each in results["leakage"] if each["name"] == "single_feature")
    assert single["sentence"].startswith("case_opened carries")


def test_a_leak_that_sits_in_the_last_month_rings_where_features_are_delayed(specification, table):
    label = table.frame["label"].to_numpy()
    generator = np.random.default_rng(5)
    weak = {
        f"hint_{number}": label * (generator.random(len(label)) < 0.3)
        + (generator.random(len(label)) < 0.02)
        for number in range(3)
    }
    results = with_a_planted_leak(specification, table, **weak)
    assert "delayed_features" in rung(results)
    assert "auc_ceiling" not in rung(results)
    assert "leakage_delayed_features" in refused_for(results)


def test_no_golden_row_is_a_households(fitted, table):
    rows = set(map(tuple, table.frame[list(NAMES)].to_numpy().tolist()))
    assert not rows & set(map(tuple, fitted.golden_rows.tolist()))


def test_a_label_known_too_late_is_left_out_and_all_of_them_are_refused(specification, table):
    late = table.frame.assign(label_known_on=pd.Timestamp("2025-01-01"))
    with pytest.raises(WindowsOverlap, match="became known after the first test cut-off"):
        fit(specification, late, table.catalogue, windows=WINDOWS, threads=1)


def test_too_few_events_are_refused_with_what_to_change(specification, table):
    rare = table.frame.assign(label=0.0)
    with pytest.raises(SpecificationInvalid, match="hold 0 events"):
        fit(specification, rare, table.catalogue, windows=WINDOWS, threads=1)


def test_one_cut_off_alone_is_judged_by_households_held_out(specification, table):
    small = specification.model_copy(update={"candidates": specification.candidates[:1]})
    found = cross_validated(
        small, table.frame, table.catalogue, cut_offs=[DAYS[0]], folds=3, threads=1
    )
    assert len(found) == 1200
    assert set(found["fold"]) == {0, 1, 2}
    events = found["label"] == 1
    assert found.loc[events, "log_odds"].mean() > found.loc[~events, "log_odds"].mean() + 0.3


@pytest.fixture(scope="module")
def home(tmp_path_factory, fitted, table):
    home = Home(tmp_path_factory.mktemp("home") / "data").open()
    models.register(fitted, home, groups=table.groups, card=card.render, plots=plots.draw(fitted))
    return home


def test_a_registered_version_is_the_challenger_until_it_is_promoted(home, fitted):
    assert models.resolve(home, "trial", "latest") == "1"
    assert models.resolve(home, "trial", "challenger") == "1"
    with pytest.raises(StepMissing):
        models.champion(home, "trial")
    with pytest.raises(NotFound, match="Registered: 1"):
        models.resolve(home, "trial", "7")


def test_promotion_asks_for_a_reason_and_a_second_person_for_an_override(home):
    with pytest.raises(Misused, match="needs a reason"):
        models.promote(home, "trial", "1", reason=" ", by="a")
    with pytest.raises(Misused, match="second person"):
        models.promote(home, "trial", "1", reason="try", by="Ann Lee", override_by="ann  LEE ")


def test_the_champion_serves_what_training_and_mlflow_score(home, fitted):
    import mlflow

    models.promote(home, "trial", "latest", reason="Better.", by="a", override_by="b",
                   card=card.render)  # fmt: skip
    served = models.champion(home, "trial")
    assert np.allclose(served.log_odds(fitted.golden_rows), fitted.golden_log_odds, atol=1e-9)
    mlflow.set_tracking_uri(f"sqlite:///{home.mlflow}/mlflow.db")
    mlflow.set_registry_uri("")
    tracked = mlflow.pyfunc.load_model("models:/trial@champion")
    rows = pd.DataFrame(fitted.golden_rows, columns=list(NAMES))
    probabilities = tracked.predict(rows)["probability"].to_numpy()
    assert np.allclose(probabilities, 1 / (1 + np.exp(-fitted.golden_log_odds)), atol=1e-12)
    text = (home.registry / "trial" / "1" / "card.md").read_text(encoding="utf-8")
    assert "Promoted by a at" in text


@pytest.fixture
def tracked(home):
    """A client on the home's tracking store."""
    with tracking(home) as client:
        yield client


def test_mlflow_keeps_the_run_with_its_figures_plots_and_hashes(tracked, fitted):
    version = tracked.get_model_version("trial", "1")
    run = tracked.get_run(version.run_id)
    plots = {each.path for each in tracked.list_artifacts(run.info.run_id, "plots")}
    wanted = {"capacity", "reliability", "rules", "contributions", "fairness_sex",
              "fairness_tenure", "dependence_debt", "dependence_missed"}  # fmt: skip
    assert {f"plots/{name}.png" for name in wanted} <= plots
    assert run.data.params["family"] == fitted.family
    assert run.data.metrics["test.average_precision"] == pytest.approx(
        fitted.results["performance"]["average_precision"]["value"]
    )
    assert "by_cut_off.2024-01-01.auc" in run.data.metrics
    assert run.data.tags["earlyflag.specification_hash"] == fitted.info.specification_hash
    kept = {each.path for each in tracked.list_artifacts(run.info.run_id)}
    assert {"results.json", "specification.json"} <= kept


def test_the_registered_version_has_signature_example_and_alias(tracked, home):
    import mlflow

    found = mlflow.models.get_model_info("models:/trial@challenger")
    assert [each.name for each in found.signature.inputs] == list(NAMES)
    assert [each.name for each in found.signature.outputs] == ["probability"]
    example = mlflow.pyfunc.load_model("models:/trial@challenger").input_example
    assert list(example.columns) == list(NAMES)
    assert str(tracked.get_model_version_by_alias("trial", "challenger").version) == "1"


@pytest.mark.slow
def test_mlflow_serves_the_scores_that_the_export_gives(home, fitted):
    rows = [[None if np.isnan(v) else v for v in row] for row in fitted.golden_rows.tolist()]
    body = json.dumps({"dataframe_split": {"columns": list(NAMES), "data": rows}}).encode()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/trial/1",
         "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{home.mlflow}/mlflow.db",
             "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        answer = asked(f"http://127.0.0.1:{port}/invocations", body)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
    found = [each["probability"] for each in answer["predictions"]]
    assert np.allclose(found, 1 / (1 + np.exp(-fitted.golden_log_odds)), atol=1e-12)


def asked(address, body):
    """Return a server's answer, asked again until it is up."""
    request = Request(address, body, {"Content-Type": "application/json"})
    for _ in range(240):
        try:
            with urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except URLError:
            time.sleep(0.5)
    raise AssertionError("the server did not answer")


def test_mlflow_holds_no_household_and_no_pickle(home):
    files = [each for each in home.mlflow.rglob("*") if each.is_file()]
    assert any(each.suffix == ".png" for each in files)
    assert not [each for each in files if each.suffix in (".pkl", ".pickle", ".joblib")]
    for each in files:
        assert b"SECRET" not in each.read_bytes(), each.name


def gate(fitted, text="card", champion=None, **changes):
    results = json.loads(json.dumps({**fitted.results, **changes}))
    return {each.name: each for each in findings(results, card=text, champion=champion)}


def test_the_gate_lets_a_sound_model_pass(fitted):
    quiet = [{"name": "auc_ceiling", "rings": False, "sentence": ""}]
    assert all(each.passes for each in gate(fitted, leakage=quiet).values())


def test_the_gate_refuses_each_thing_it_should(fitted):
    worse = {"value": -0.1, "low": -0.2, "high": -0.01}
    best = {**fitted.results["best_rule"], "difference": worse}
    assert not gate(fitted, best_rule=best)["best_rule"].passes
    assert not gate(fitted, text=None)["card"].passes
    blank = {**fitted.results["specification"], "purpose": ""}
    assert "nothing under purpose" in gate(fitted, specification=blank)["card"].sentence
    spaces = {**fitted.results["specification"], "purpose": " ", "not_for": [""]}
    assert "under purpose, not_for" in gate(fitted, specification=spaces)["card"].sentence
    assert gate(fitted, fairness={})["fairness"].sentence.startswith("Not checked")
    calibration = {**fitted.results["calibration"], "slope": {"value": 3, "low": 2.5, "high": 3.5}}
    assert not gate(fitted, calibration=calibration)["calibration_slope"].passes
    rings = [{"name": "single_feature", "rings": True, "sentence": "debt carries 90%."}]
    assert not gate(fitted, leakage=rings)["leakage_single_feature"].passes
    champion = json.loads(json.dumps(fitted.results))
    champion["performance"]["average_precision"] = {"value": 0.9, "low": 0.85, "high": 0.95}
    assert not gate(fitted, champion={"version": "9", **champion})["champion"].passes
    damaged = gate(fitted, champion={"version": "9", "damaged": "model.txt differs."})["champion"]
    assert not damaged.passes
    assert "model.txt differs" in damaged.sentence
    unfair = json.loads(json.dumps(fitted.results["fairness"]))
    unfair["sex"]["groups"][0]["recall"] = {"value": 0.01, "low": 0.0, "high": 0.02}
    assert not gate(fitted, fairness=unfair)["fairness_sex"].passes


def test_a_refused_promotion_says_why_and_changes_nothing(home, fitted, monkeypatch):
    refusing = [SimpleNamespace(name="x", passes=False, sentence="It is worse.")]
    monkeypatch.setattr(models, "findings", lambda *args, **kwargs: refusing)
    before = {each: each.read_bytes() for each in home.registry.rglob("*.json")}
    with pytest.raises(PromotionRefused, match=r"It is worse.*--override-by"):
        models.promote(home, "trial", "1", reason="try", by="a")
    assert before == {each: each.read_bytes() for each in home.registry.rglob("*.json")}


def noise_alone(specification, table, **changes):
    """Return a model of the same households that may look at nothing but noise."""
    blind = specification.model_copy(
        update={
            "features": specification.features.model_copy(update={"include": ("noise",)}),
            "candidates": specification.candidates[:1],
        }
    )
    return fit(blind, table.frame, table.catalogue, windows=WINDOWS, threads=1, **changes)


def test_a_model_worse_than_the_champion_is_refused_on_the_same_rows(home, specification, table):
    serving = models.champion(home, "trial")
    worse = noise_alone(specification, table, champion=serving)
    paired = worse.results["against_champion"]["1"]
    assert paired["difference"]["high"] < 0
    assert "2,400 rows from 2024-01-01" in paired["sentence"]
    text = card.render(worse.info, worse.results)["card.md"]
    assert "minus that of version 1, the champion when this one was judged: -0." in text
    models.register(worse, home, groups=table.groups, card=card.render)
    with pytest.raises(
        PromotionRefused, match=r"minus champion 1's is -0\.\d+ .*worse beyond noise"
    ):
        models.promote(home, "trial", "2", reason="Newer.", by="a")
    assert models.resolve(home, "trial", "champion") == "1"


def test_a_model_better_than_the_champion_passes_on_the_same_rows(
    tmp_path, specification, table, fitted
):
    own = Home(tmp_path / "data").open()
    for model in (noise_alone(specification, table), fitted):
        models.register(model, own, groups=table.groups, card=card.render)
    models.promote(own, "trial", "1", reason="First.", by="a", override_by="b", card=card.render)
    asked = []

    def compare(version, champion):
        """Stand in for the pipeline, which scores both on the home's households."""
        asked.append((version, champion))
        test = select(specification, table.frame, NAMES, WINDOWS.test, part="test")
        serving = models.champion(own, "trial", rehearse=False)
        return against(serving, fitted.log_odds(test.matrix), table.frame, test, specification)

    found = models.promote(own, "trial", "2", reason="Better.", by="a", override_by="b",
                           card=card.render, compare=compare)  # fmt: skip
    assert asked == [("2", "1")]
    champion = next(each for each in found if each.name == "champion")
    assert champion.passes
    assert "minus champion 1's is 0." in champion.sentence


def test_a_champion_that_reads_what_the_data_lack_is_named_and_not_compared(
    home, specification, table
):
    serving = models.champion(home, "trial")
    test = select(specification, table.frame, ("noise",), WINDOWS.test, part="test")
    found = against(
        serving, np.zeros(len(test)), table.frame.drop(columns="debt"), test, specification
    )
    assert found["difference"] is None
    assert "lack 1 of its 3 features (first: debt)" in found["sentence"]


def test_a_champion_that_learnt_from_the_test_is_said_to_be_favoured(home, specification, table):
    serving = models.champion(home, "trial")
    early = Windows((date(2021, 1, 1),), (DAYS[1],))
    test = select(specification, table.frame, NAMES, early.test, part="test")
    found = against(serving, np.zeros(len(test)), table.frame, test, specification)
    assert "favours it" in found["sentence"]
    assert found["difference"]["high"] < 0


def test_a_damaged_champion_does_not_keep_its_successor_out(tmp_path, table, fitted):
    own = Home(tmp_path / "data").open()
    for _ in range(2):
        models.register(fitted, own, groups=table.groups, card=card.render)
    models.promote(own, "trial", "1", reason="First.", by="a", override_by="b")
    (own.registry / "trial" / "1" / "results.json").write_text("{}", encoding="utf-8")
    with pytest.raises(PromotionRefused, match="Champion 1 cannot be compared with"):
        models.promote(own, "trial", "2", reason="Mend.", by="a")
    models.promote(own, "trial", "2", reason="Mend.", by="a", override_by="b")
    assert models.resolve(own, "trial", "champion") == "2"


def test_the_card_shows_misses_as_prominently_as_hits(fitted):
    files = card.render(fitted.info, fitted.results)
    text = files["card.md"]
    assert "it misses" in text and "and catches" in text
    for heading in ("must not be used for", "cannot show", "Fairness", "Limits", "How to contest"):
        assert heading in text
    assert files["card.html"].startswith("<!doctype html>")
    assert "<h1>A trial: model card</h1>" in files["card.html"]
    assert "SECRET" not in text


@pytest.mark.parametrize(
    ("helped", "words"),
    [
        ("leave_out", "are left out, of training and of these figures"),
        ("weight", "weigh 0.5 of the others in training"),
        ("model", "with help, the odds of the event were 0.50 times as high"),
        ("keep", "are treated as any other"),
    ],
)
def test_the_card_says_what_was_done_with_helped_households(fitted, helped, words):
    asked = {**fitted.results["specification"], "helped": helped}
    model = {**fitted.results["model"], "helped_effect": np.log(0.5)}
    found = {**fitted.results, "specification": asked, "model": model}
    assert words in card.render(fitted.info, found)["card.md"]


def test_the_card_says_which_duties_are_in_no_figure(specification, table):
    helped = np.zeros(len(table.frame), dtype=bool)
    tested = table.frame["as_of"].isin(pd.to_datetime(DAYS[2:])).to_numpy()
    helped[np.flatnonzero(tested & (table.frame["label"] == 1).to_numpy())[:25]] = True
    result = fit(
        specification.model_copy(update={"candidates": specification.candidates[:1]}),
        table.frame.assign(helped=helped), table.catalogue, windows=WINDOWS, threads=1,
    )  # fmt: skip
    assert result.results["events_left_out"] == 25
    assert "- 25 times a household" in card.render(result.info, result.results)["card.md"]


def test_the_card_prints_no_table_of_nothing_but_withheld_figures(fitted):
    few = [{"group": "domestic_abuse", "n": None, "recall": None}]
    found = {**fitted.results, "slices": {"reason_for_loss": few}}
    text = card.render(fitted.info, found)["card.md"]
    assert "| Reason |" not in text
    assert "For no reason for losing the home are there enough duties" in text


def test_a_table_ends_when_its_last_label_was_known(table, specification):
    assert span(table, specification) == (DAYS[0], date(2025, 6, 30))


def refused(own, specification, error, tmp_path, frame=None, catalogue=None):
    path = tmp_path / "table.csv"
    given = households().drop(columns="oracle") if frame is None else frame
    given.to_csv(path, index=False)
    content = yaml.safe_dump(catalogue or CATALOGUE)
    (tmp_path / "catalogue.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(error) as caught:
        load_table(path, specification, beside=tmp_path / "trial.yaml")
    return str(caught.value)


def test_a_table_is_refused_for_each_thing_that_is_wrong_with_it(own, specification, tmp_path):
    whole = households().drop(columns="oracle").head(40)
    wrong = [
        (UndeclaredFeature, whole.assign(extra=1), "columns that its catalogue does not declare"),
        (UndeclaredFeature, whole.drop(columns="debt"), "lacks 1 features"),
        (Misused, whole.drop(columns="as_of"), "lacks 1 columns"),
        (Misused, whole.assign(debt="a lot"), "features are not numbers: debt"),
        (Misused, whole.assign(label=2), "neither 0, 1 nor blank"),
        (Misused, whole.assign(as_of="1/4/22"), "dates as YYYY-MM-DD"),
        (Misused, whole.assign(as_of="2022-04-01T09:30"), "without a time"),
        (Misused, whole.assign(as_of="2022-04-01T00:00Z"), "without a time or a time zone"),
        (Misused, whole.assign(as_of=None), "40 rows have a blank as_of"),
        (Misused, whole.assign(household_id=None), "40 rows have a blank household_id"),
        (Misused, whole.assign(helped="a lot"), "40 rows have a helped that is neither"),
        (Misused, whole.assign(debt=float("inf")), "hold infinite values: debt"),
        (Misused, pd.concat([whole, whole]), "repeat an earlier row"),
    ]
    for error, frame, words in wrong:
        message = refused(own, specification, error, tmp_path, frame)
        assert words in message
        assert "a lot" not in message


def test_an_audit_column_declared_as_a_feature_is_refused(own, specification, tmp_path):
    both = {**CATALOGUE, "audit": ["sex", "tenure", "reason_for_loss", "debt"]}
    message = refused(own, specification, SpecificationInvalid, tmp_path, catalogue=both)
    assert "debt is declared as a feature and for the audit" in message


@pytest.mark.parametrize("part", ["features", "audit", "ignore"])
def test_a_catalogue_may_not_declare_the_label(own, specification, tmp_path, part):
    more = {**CATALOGUE["features"], "label": {"title": "The label"}}
    declared = {"features": more, "audit": ["sex", "tenure", "label"], "ignore": ["label"]}[part]
    message = refused(
        own, specification, SpecificationInvalid, tmp_path, catalogue={**CATALOGUE, part: declared}
    )
    assert "label has a meaning of its own" in message


def test_help_written_as_words_of_a_spreadsheet_is_read_as_marks(own, specification, tmp_path):
    whole = households().drop(columns="oracle").head(4)
    given = whole.assign(helped=["TRUE", "False", None, "0"])
    given.to_csv(tmp_path / "table.csv", index=False)
    read = load_table(tmp_path / "table.csv", specification, beside=own / "trial.yaml")
    assert read.frame["helped"].tolist() == [True, False, False, False]


def test_csv_and_parquet_give_the_same_table(own, specification, table, tmp_path):
    households().drop(columns="oracle").to_csv(tmp_path / "table.csv.gz", index=False)
    read = load_table(tmp_path / "table.csv.gz", specification, beside=own / "trial.yaml")
    pd.testing.assert_frame_equal(
        read.frame.astype({"as_of": "datetime64[ns]"}),
        table.frame.astype({"as_of": "datetime64[ns]"}),
        check_exact=False,
        rtol=1e-5,
    )
