"""The commands that keep an installation in order, as an operator types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from earlyflag import store
from earlyflag.cli import commands  # noqa: F401  registers the commands
from earlyflag.cli.app import app
from earlyflag.core.errors import AuditBroken, Misused, NotFound, SettingsInvalid, StepMissing
from earlyflag.store.database import transaction
from earlyflag.store.terms import Role
from tests.office import Office, household_id

Type = Callable[..., Result]


@pytest.fixture
def operator(tmp_path: Path) -> Type:
    """An operator's terminal; an error that the project knows is raised."""

    def type_(*words: str, answers: str = "") -> Result:
        done = CliRunner().invoke(app, ["--home", str(tmp_path / "home"), *words], input=answers)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return type_


@pytest.fixture
def home(operator: Type, tmp_path: Path) -> Office:
    """A home whose database has three flags."""
    operator("database", "upgrade")
    office = Office(store.connect(f"sqlite:///{tmp_path / 'home' / 'earlyflag.db'}"))
    office.hire("reviewer", Role.REVIEWER)
    office.publish(range(1, 5))
    office.raise_flags(3)
    return office


def test_commands_before_there_is_a_database_say_what_to_run(operator: Type) -> None:
    with pytest.raises(StepMissing):
        operator("audit", "verify")


def test_the_first_administrator_is_made_on_the_command_line(operator: Type, home: Office) -> None:
    secret = "three unrelated words"
    done = operator(
        "users", "add", "root", "Root", "--role", "admin", answers=f"{secret}\n{secret}\n"
    )
    assert "root may sign in" in done.output
    assert secret not in done.output
    with pytest.raises(Misused, match="emperor"):
        operator("users", "add", "x", "X", "--role", "emperor", answers=f"{secret}\n{secret}\n")


def test_a_sound_audit_is_told_and_a_broken_one_ends_in_an_error(
    operator: Type, home: Office
) -> None:
    without = operator("audit", "verify").output
    assert "sound as far as could be checked" in without
    assert "No exported head was at hand" in without
    operator("audit", "head")
    assert "The audit is sound:" in operator("audit", "verify").output
    assert "1 exported heads met" in operator("audit", "verify").output
    with pytest.raises(SettingsInvalid, match="is not there"):
        operator("audit", "verify", "--heads", "nowhere.txt")
    with transaction(home.engine) as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_is_never_changed")
        connection.exec_driver_sql("UPDATE audit SET action = 'x' WHERE sequence = 2")
    with pytest.raises(AuditBroken, match="Row 2 was changed"):
        operator("audit", "verify")


def test_a_check_uses_the_heads_and_the_key_that_the_settings_name(
    operator: Type, home: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("EARLYFLAG_AUDIT_HEADS", str(elsewhere / "heads.txt"))
    operator("audit", "head")
    assert not (tmp_path / "home" / "audit-heads.txt").exists()
    assert "The audit is sound:" in operator("audit", "verify").output
    operator("retain")
    public = tmp_path / "home" / "audit.pub"
    monkeypatch.setenv("EARLYFLAG_AUDIT_PUBLIC_KEY", str(elsewhere / "audit.pub"))
    with pytest.raises(SettingsInvalid, match=r"audit\.pub"):
        operator("audit", "verify")
    public.rename(elsewhere / "audit.pub")
    assert "rows after it are vouched for" in operator("audit", "verify").output


def test_subject_access_writes_a_file_for_its_owner_alone(
    operator: Type, home: Office, tmp_path: Path
) -> None:
    out = tmp_path / "held.json"
    operator("subject-access", "P1", "--out", str(out))
    assert json.loads(out.read_text())["households"][0]["flags"][0]["state"] == "waiting"
    assert out.stat().st_mode & 0o077 == 0
    with pytest.raises(NotFound):
        operator("subject-access", "P99", "--out", str(out))


def test_suppressing_and_erasing_leave_no_flag(operator: Type, home: Office) -> None:
    operator("suppress", household_id(1), "objection")
    assert household_id(1) not in [flag.household_id for flag in home.flags("reviewer")]
    with pytest.raises(Misused, match="no kind"):
        operator("suppress", household_id(1), "dislike")
    foreseen = operator("erase", household_id(2), "--dry-run").output
    assert home.flag_of(2).state == "waiting"
    done = operator("erase", household_id(2)).output
    assert foreseen.split()[-20:] == done.split()[-20:]
    assert home.flag_of(2).state == "withdrawn"
    assert "so that it does not come back" in done
    assert {"outbox", "idempotency_keys"} <= set(done.split())
    assert "comes again" in operator("readmit", household_id(2)).output
    with pytest.raises(NotFound):
        operator("readmit", household_id(2))


def test_retention_shows_first_what_it_would_delete(
    operator: Type, home: Office, tmp_path: Path
) -> None:
    foreseen = operator("retain", "--dry-run").output
    assert "rows that would go" in foreseen
    assert "kept by a legal hold" in foreseen
    assert not (tmp_path / "home" / "audit.key").exists()
    assert "rows gone" in operator("retain").output
    assert (tmp_path / "home" / "audit.key").stat().st_mode & 0o077 == 0
    assert "0 flags came back" in operator("daily").output
