"""The errors a new user meets first: one clear line, its exit code, no traceback."""

from __future__ import annotations

import socket
import subprocess

import pytest

from .conftest import run_earlyflag


def is_one_clear_line(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert done.returncode == code, done.stderr
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("earlyflag: ")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in lines[0]


def test_a_folder_without_extracts_says_what_was_expected_there(tmp_path):
    (tmp_path / "empty").mkdir()
    done = run_earlyflag("ingest", str(tmp_path / "empty"), home=tmp_path / "home")
    is_one_clear_line(done, 4, "council_tax_accounts")


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    done = run_earlyflag("ingest", str(tmp_path / "nowhere"), home=tmp_path / "home")
    is_one_clear_line(done, 2, "nowhere")


def test_a_taken_port_is_said_before_anything_slow(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        for command in (["serve"], ["demo", "--households", "2000"]):
            done = run_earlyflag(*command, "--port", str(port), home=tmp_path / "home")
            is_one_clear_line(done, 5, f"Port {port}", "--port")
    assert not (tmp_path / "home" / "extracts").exists()


@pytest.mark.parametrize("command", [["link"], ["features"], ["train"], ["score"]])
def test_a_step_before_its_extracts_names_the_step_to_run(tmp_path, command):
    done = run_earlyflag(*command, home=tmp_path / "home")
    is_one_clear_line(done, 4, "earlyflag ")


def test_promoting_before_training_says_to_train(tmp_path):
    done = run_earlyflag("promote", "latest", "--reason", "r", "--by", "b", home=tmp_path / "home")
    is_one_clear_line(done, 4, "earlyflag train")


def test_serving_an_empty_home_says_what_to_run(tmp_path):
    done = run_earlyflag("serve", "--port", "0", home=tmp_path / "home")
    is_one_clear_line(done, 4, "earlyflag demo")


def test_a_home_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("keep me")
    done = run_earlyflag("demo", "--no-serve", home=tmp_path / "letters")
    is_one_clear_line(done, 3, "letters", "--home")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["letter.txt"]


def test_a_home_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    done = run_earlyflag("link", home=tmp_path / "file")
    is_one_clear_line(done, 3, "is a file")


def test_a_misspelt_setting_is_named(tmp_path):
    done = run_earlyflag("link", home=tmp_path / "home", EARLYFLAG_CAPACITY="many")
    is_one_clear_line(done, 2, "capacity")


def test_a_specification_that_is_not_there_is_named(tmp_path):
    done = run_earlyflag("train", "--spec", "models/nothing.yaml", home=tmp_path / "home")
    is_one_clear_line(done, 40, "models/nothing.yaml")


def test_a_borough_that_is_too_small_says_the_smallest(tmp_path):
    done = run_earlyflag(
        "synth", str(tmp_path / "out"), "--households", "3", home=tmp_path / "home"
    )
    is_one_clear_line(done, 2, "100 households")
