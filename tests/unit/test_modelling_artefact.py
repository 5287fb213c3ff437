"""What serving loads is what training wrote, or it is refused before it is parsed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from earlyflag.core.errors import ArtefactDamaged, Conflict, Misused, StepMissing
from earlyflag.modelling import artefact
from earlyflag.modelling.served import Calibration
from tests import modelling_samples as samples

FAMILIES = {"lightgbm": samples.lightgbm_sample, "logistic": samples.logistic_sample}


@pytest.fixture(scope="module", params=FAMILIES)
def written(request, tmp_path_factory):
    """Return a sample and the folder of its artefact, for each family."""
    sample = FAMILIES[request.param]()
    folder = tmp_path_factory.mktemp(request.param) / "sample" / "1"
    samples.write(folder, sample, extra={"card.md": "# Card\n"})
    return sample, folder


def test_a_loaded_model_gives_the_log_odds_of_the_training_library(written):
    sample, folder = written
    model = artefact.load(folder, rehearse=False)
    expected = samples.CALIBRATION.slope * sample.raw(sample.rows) + samples.CALIBRATION.intercept
    assert np.abs(model.log_odds(sample.rows) - expected).max() < 1e-9


def test_an_artefact_is_read_back_after_a_child_process_reproduced_it(written):
    _, folder = written
    model = artefact.load(folder)
    assert model.info.full_version == "sample/1"
    assert [fact.name for fact in model.features] == list(samples.names())
    assert {group.key for group in model.groups} == {"group_0", "group_1", "group_2", "group_3"}


@pytest.mark.parametrize("kind", ["truncated", "flipped"])
def test_a_file_cut_or_changed_by_one_bit_is_refused_before_it_is_parsed(
    written, tmp_path, kind, monkeypatch
):
    monkeypatch.setattr(artefact, "parse", lambda _: pytest.fail("parsed a damaged artefact"))
    _, folder = written
    draw = np.random.default_rng(11)
    names = [file.name for file in folder.iterdir()]
    assert {"manifest.json", "manifest.sha256", "golden.json", "card.md"} < set(names)
    for name in names:
        whole = (folder / name).read_bytes()
        for _ in range(50):
            copy = tmp_path / "copy"
            shutil.copytree(folder, copy)
            at = int(draw.integers(len(whole)))
            flipped = bytes([whole[at] ^ (1 << int(draw.integers(8)))])
            tail = b"" if kind == "truncated" else flipped + whole[at + 1 :]
            (copy / name).write_bytes(whole[:at] + tail)
            with pytest.raises(ArtefactDamaged):
                artefact.load(copy)
            shutil.rmtree(copy)


def test_a_missing_file_is_refused(written, tmp_path):
    _, folder = written
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / "calibration.json").unlink()
    with pytest.raises(ArtefactDamaged, match=r"lacks calibration\.json"):
        artefact.verify(tmp_path / "copy")


def test_a_manifest_sealed_anew_is_not_the_one_that_was_promoted(written, tmp_path):
    _, folder = written
    registry = tmp_path
    shutil.copytree(folder, registry / "sample" / "1")
    artefact.point(registry, "sample", "1", promoted_by="analyst")
    assert artefact.load_pointed(registry, "sample", rehearse=False).info.version == "1"
    artefact.add(registry / "sample" / "1", {"card.md": "# Another card\n"})
    with pytest.raises(ArtefactDamaged, match="not the one that was sealed"):
        artefact.load_pointed(registry, "sample", rehearse=False)


def test_the_card_can_be_added_but_the_model_cannot_be_replaced(written, tmp_path):
    _, folder = written
    shutil.copytree(folder, tmp_path / "copy")
    seal = artefact.add(tmp_path / "copy", {"card.html": "<h1>Card</h1>"})
    assert artefact.verify(tmp_path / "copy", seal)["card.html"] == b"<h1>Card</h1>"
    with pytest.raises(Misused, match=r"calibration\.json"):
        artefact.add(tmp_path / "copy", {"calibration.json": "{}"})


def test_a_version_is_never_written_twice(written):
    sample, folder = written
    with pytest.raises(Conflict):
        samples.write(folder, sample)


def test_writing_refuses_golden_rows_that_the_model_does_not_reproduce(tmp_path):
    sample = samples.lightgbm_sample()
    with pytest.raises(ArtefactDamaged, match="1 of its 25 golden rows"):
        wrong = samples.CALIBRATION.slope * sample.raw(sample.rows[:25]) - 0.3
        wrong[4] += 1e-6
        samples.write(tmp_path / "1", sample, golden_log_odds=wrong)
    assert not (tmp_path / "1").exists()


def test_a_child_process_that_fails_or_hangs_keeps_the_model_out(written, tmp_path):
    _, folder = written
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    golden = json.loads((copy / "golden.json").read_text())
    golden["log_odds"][0] += 1.0
    files = artefact.verify(copy)
    files["golden.json"] = json.dumps(golden).encode()
    (copy / "golden.json").write_bytes(files["golden.json"])
    info = artefact.parse(files).info
    artefact._seal(
        copy, artefact._manifest(info, {k: v for k, v in files.items() if k != "manifest.json"})
    )
    with pytest.raises(ArtefactDamaged, match="exit code 43"):
        artefact.load(copy)
    with pytest.raises(ArtefactDamaged, match=r"within 0\.01 seconds"):
        artefact.load(folder, time_limit_seconds=0.01)


def test_a_child_process_that_is_killed_keeps_the_model_out_and_this_one_alive(
    written, tmp_path, monkeypatch
):
    _, folder = written
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -SEGV $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr(artefact.sys, "executable", str(dying))
    monkeypatch.setattr(artefact, "parse", lambda _: pytest.fail("parsed what kills its reader"))
    with pytest.raises(ArtefactDamaged, match="exit code -11"):
        artefact.load(folder)


def test_a_sealed_artefact_without_its_model_is_refused_as_damaged(written):
    _, folder = written
    files = artefact.verify(folder)
    without = {name: content for name, content in files.items() if not name.startswith("model.")}
    with pytest.raises(ArtefactDamaged, match="KeyError"):
        artefact.parse(without)


def test_a_pointer_that_is_missing_or_leads_outside_is_refused(tmp_path):
    with pytest.raises(StepMissing):
        artefact.pointed(tmp_path, "sample")
    (tmp_path / "sample").mkdir()
    pointer = tmp_path / "sample" / "champion.json"
    pointer.write_text('{"name": "sample", "version": "../1", "manifest_sha256": "x"}')
    with pytest.raises(ArtefactDamaged, match="outside"):
        artefact.pointed(tmp_path, "sample")
    pointer.write_text('{"name": "sample"')
    with pytest.raises(ArtefactDamaged, match="cannot be read"):
        artefact.pointed(tmp_path, "sample")


@pytest.mark.parametrize("slope", [0.0, -1.0, float("nan"), float("inf")])
def test_a_calibration_that_would_turn_ranks_round_is_refused(slope):
    with pytest.raises(ArtefactDamaged):
        Calibration(slope, 0.0)


def test_features_out_of_order_are_refused(tmp_path):
    swapped = (samples.features()[1], samples.features()[0], *samples.features()[2:])
    with pytest.raises(ArtefactDamaged, match="do not fit together"):
        samples.write(tmp_path / "1", samples.lightgbm_sample(), features=swapped)


def test_a_feature_without_its_reason_group_is_refused(tmp_path):
    lone = (*samples.features()[:-1], replace(samples.features()[-1], group="nowhere"))
    with pytest.raises(ArtefactDamaged, match="no reason group"):
        samples.write(tmp_path / "1", samples.lightgbm_sample(), features=lone)


@pytest.mark.parametrize("manifest", [b"{}", b"[]", b"no JSON", b'{"files": [1]}', b"\xff"])
def test_a_sealed_manifest_that_is_none_is_refused_as_damaged(manifest, written, tmp_path):
    _, folder = written
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / artefact.MANIFEST).write_bytes(manifest)
    (copy / artefact.SEAL).write_text(f"{hashlib.sha256(manifest).hexdigest()}\n")
    with pytest.raises(ArtefactDamaged, match="cannot be read"):
        artefact.load(copy)


@pytest.mark.parametrize("name", ["golden.json", artefact.MANIFEST])
def test_a_pipe_or_an_endless_file_in_place_of_a_file_is_refused_and_not_waited_for(
    name, written, tmp_path
):
    _, folder = written
    for number, spoil in enumerate((os.mkfifo, _make_endless)):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(folder, copy)
        (copy / name).unlink()
        spoil(copy / name)
        with pytest.raises(ArtefactDamaged, match=r"regular|large"):
            artefact.load(copy)


def _make_endless(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(4_000_000_000_000)


@pytest.mark.parametrize("version", ["3", "null", '"a\\u0000b"', '"\\ud800"', '"../x"', '""'])
def test_a_pointer_to_what_can_be_no_version_is_refused(version, tmp_path):
    file = tmp_path / "sample" / "champion.json"
    file.parent.mkdir()
    file.write_text(f'{{"name": "sample", "version": {version}, "manifest_sha256": "0"}}')
    with pytest.raises(ArtefactDamaged, match=r"Promote again|points outside"):
        artefact.pointed(tmp_path, "sample")
