"""The core: time, the home folder, settings, errors, logs."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from earlyflag.core import errors
from earlyflag.core.clock import (
    FixedClock,
    add_months,
    end_of_london_day,
    london_day,
    month_starts,
)
from earlyflag.core.errors import EarlyflagError, SettingsInvalid, WrongHome
from earlyflag.core.home import Home, write_atomically
from earlyflag.core.logging import keep_allowed_fields
from earlyflag.core.settings import LawfulBasis, load_settings


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 6, 30), 24, date(2028, 6, 30)),
    ],
)
def test_months_are_added_and_clipped_to_the_last_day(day, months, expected):
    assert add_months(day, months) == expected


def test_month_starts_begin_with_the_first_whole_month():
    starts = month_starts(date(2026, 1, 2), date(2026, 4, 1))
    assert starts == [date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)]


def test_no_month_starts_when_the_last_day_is_before_the_first():
    assert month_starts(date(2026, 5, 1), date(2026, 3, 1)) == []


def test_the_london_day_ends_an_hour_earlier_in_utc_in_summer():
    evening = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert london_day(evening) == date(2026, 7, 1)
    assert end_of_london_day(evening) == datetime(2026, 7, 1, 23, 0, tzinfo=UTC)
    assert end_of_london_day(datetime(2026, 1, 1, 12, tzinfo=UTC)) == datetime(
        2026, 1, 2, 0, 0, tzinfo=UTC
    )


def test_a_fixed_clock_moves_only_when_told():
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(timedelta(hours=2))
    assert clock.now() == datetime(2026, 1, 1, 2, tzinfo=UTC)


def test_a_fixed_clock_refuses_an_instant_without_a_zone():
    with pytest.raises(ValueError, match="time zone"):
        FixedClock(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_new_home_is_made_and_opened_again(tmp_path: Path):
    home = Home(tmp_path / "council")
    assert home.open() == home.open()


def test_a_folder_with_other_things_in_it_is_no_home(tmp_path: Path):
    (tmp_path / "letters.txt").write_text("x")
    with pytest.raises(WrongHome, match="holds other files"):
        Home(tmp_path).open()


def test_a_file_is_no_home(tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(WrongHome, match="is a file"):
        Home(file).open()


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path):
    target = tmp_path / "pointer.json"
    write_atomically(target, "old")
    with pytest.raises(TypeError):
        write_atomically(target, 3)  # type: ignore[arg-type]
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["pointer.json"]


def test_settings_come_from_the_file_and_the_environment_is_stronger(tmp_path, monkeypatch):
    (tmp_path / "settings.toml").write_text('capacity = 40\nteam_name = "First Contact"\n')
    monkeypatch.setenv("EARLYFLAG_CAPACITY", "20")
    settings = load_settings(tmp_path)
    assert (settings.capacity, settings.team_name, settings.home) == (20, "First Contact", tmp_path)


def test_a_misspelt_setting_is_refused_by_its_name_and_without_its_value(tmp_path):
    (tmp_path / "settings.toml").write_text('capcity = "not-for-the-log"\n')
    with pytest.raises(SettingsInvalid, match="capcity") as caught:
        load_settings(tmp_path)
    assert "not-for-the-log" not in str(caught.value)


def test_broken_toml_is_refused_with_the_file_named(tmp_path):
    (tmp_path / "settings.toml").write_text("capacity = = 3")
    with pytest.raises(SettingsInvalid, match=r"settings\.toml is not valid TOML"):
        load_settings(tmp_path)


def test_a_lawful_basis_is_complete_only_with_all_four_parts():
    parts = {
        "gateway": "Housing Act 1996 s.195",
        "approved_by": "Information governance board",
        "approved_on": date(2026, 4, 1),
        "impact_assessment": "DPIA-7",
    }
    assert LawfulBasis(**parts).is_complete
    for name in parts:
        assert not LawfulBasis(
            **{key: value for key, value in parts.items() if key != name}
        ).is_complete


def test_every_error_has_an_exit_code_of_its_own_above_zero_and_an_http_status():
    classes = [
        cls
        for _, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, EarlyflagError)
    ]
    assert len(classes) > 20
    for cls in classes:
        assert cls.exit_code > 0
        assert 400 <= cls.http_status < 600
        assert cls.__doc__


def test_a_log_line_keeps_listed_fields_and_counts_what_it_dropped():
    kept = keep_allowed_fields(None, "info", {"event": "scored", "rows": 3, "surname": "Canary"})
    assert kept == {"event": "scored", "rows": 3, "count_dropped_fields": 1}
