"""The audit: written with each change, only ever added to, and any meddling is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from earlyflag import casework
from earlyflag.core.errors import AuditBroken, NotAllowed, SettingsInvalid
from earlyflag.store.audit import AuditEntry, AuditHead
from earlyflag.store.database import transaction
from earlyflag.store.terms import ActorKind, SuppressionKind
from earlyflag.store.units import begin
from tests.office import NOW, Office, household_id

TRIGGERS = {
    "audit": ("audit_is_never_changed", "audit_ends_at_a_checkpoint"),
    "audit_head": ("head_only_moves_on", "head_is_never_deleted"),
    "audit_checkpoints": ("checkpoints_are_never_changed", "checkpoints_are_never_deleted"),
}


def _unguard(connection: Connection) -> None:
    """Do what somebody with every right over the database could do: take the triggers away."""
    for table, triggers in TRIGGERS.items():
        for trigger in triggers:
            if connection.dialect.name == "sqlite":
                connection.execute(text(f"DROP TRIGGER {trigger}"))
            else:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger} ON {table}"))


def _meddle(engine: Engine, *statements: str) -> None:
    with transaction(engine) as connection:
        _unguard(connection)
        for statement in statements:
            connection.execute(text(statement))


@pytest.fixture
def audited(busy_office: Office) -> Office:
    """An office whose audit has a few rows of several kinds."""
    busy_office.take("officer", 1)
    busy_office.flags("reviewer")
    assert casework.verify_audit(busy_office.engine).is_sound
    return busy_office


def test_a_change_that_is_undone_leaves_no_audit_row(audited: Office) -> None:
    before = audited.actions()
    flag = audited.flag_of(2)
    with pytest.raises(ZeroDivisionError), audited.desk("officer") as desk:
        casework.take_flag(desk, flag.flag_id, flag.version)
        raise ZeroDivisionError
    assert audited.actions() == before
    assert audited.flag_of(2) == flag


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET action = 'read_flag' WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = 2",
        "UPDATE audit_head SET sequence = 1",
        "DELETE FROM audit_head",
    ],
)
def test_the_database_refuses_to_change_the_audit(audited: Office, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), transaction(audited.engine) as connection:
        connection.execute(text(statement))


def test_the_database_refuses_to_empty_the_audit(audited: Office) -> None:
    on_sqlite = audited.engine.dialect.name == "sqlite"
    statement = "DELETE FROM audit" if on_sqlite else "TRUNCATE audit"
    with pytest.raises(DBAPIError, match="append-only"), transaction(audited.engine) as connection:
        connection.execute(text(statement))


COLUMNS = {
    "at": "'2020-01-01 00:00:00'",
    "actor_id": "'somebody-else'",
    "actor_kind": "'machine'",
    "roles": "'admin'",
    "action": "'nothing'",
    "household_id": "'H9999'",
    "subject": "'F9999'",
    "purpose": "'safeguarding'",
    "correlation_id": "'other'",
    "detail": "'{}  '",
    "previous_hash": f"'{'1' * 64}'",
    "hash": f"'{'2' * 64}'",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_change_to_any_column_of_any_row_is_found(audited: Office, column: str) -> None:
    last = casework.verify_audit(audited.engine).last
    with transaction(audited.engine) as connection:
        _unguard(connection)
    for sequence in (1, last // 2, last):
        with transaction(audited.engine) as connection:
            kept = connection.execute(
                text(f"SELECT {column} FROM audit WHERE sequence = {sequence}")
            ).scalar_one()
            connection.execute(
                text(f"UPDATE audit SET {column} = {COLUMNS[column]} WHERE sequence = {sequence}")
            )
        findings = casework.verify_audit(audited.engine).findings
        assert any(f"Row {sequence}" in one or "head" in one for one in findings), findings
        with transaction(audited.engine) as connection:
            connection.execute(
                text(f"UPDATE audit SET {column} = :kept WHERE sequence = {sequence}"),
                {"kept": kept},
            )
        assert casework.verify_audit(audited.engine).is_sound


def test_any_row_removed_is_found(audited: Office) -> None:
    last = casework.verify_audit(audited.engine).last
    for sequence in (1, 2, last // 2, last - 1, last):
        with transaction(audited.engine) as connection:
            _unguard(connection) if sequence == 1 else None
            connection.execute(text("CREATE TABLE kept AS SELECT * FROM audit"))
            connection.execute(text(f"DELETE FROM audit WHERE sequence = {sequence}"))
        assert not casework.verify_audit(audited.engine).is_sound
        with transaction(audited.engine) as connection:
            connection.execute(text("DELETE FROM audit"))
            connection.execute(text("INSERT INTO audit SELECT * FROM kept"))
            connection.execute(text("DROP TABLE kept"))
    assert casework.verify_audit(audited.engine).is_sound


def test_rows_reordered_are_found(audited: Office) -> None:
    _meddle(
        audited.engine,
        "UPDATE audit SET sequence = -1 WHERE sequence = 2",
        "UPDATE audit SET sequence = 2 WHERE sequence = 3",
        "UPDATE audit SET sequence = 3 WHERE sequence = -1",
    )
    found = casework.verify_audit(audited.engine)
    assert "Row 2 was changed." in found.findings
    with pytest.raises(AuditBroken, match="data protection officer"):
        casework.check_audit(audited.engine)


def _reorder(one: int, other: int) -> tuple[str, ...]:
    return (
        f"UPDATE audit SET sequence = -1 WHERE sequence = {one}",
        f"UPDATE audit SET sequence = {one} WHERE sequence = {other}",
        f"UPDATE audit SET sequence = {other} WHERE sequence = -1",
    )


@pytest.mark.parametrize("place", ["first", "middle", "last", "far apart"])
def test_rows_reordered_anywhere_are_found(audited: Office, place: str) -> None:
    last = casework.verify_audit(audited.engine).last
    places = {
        "first": (1, 2),
        "middle": (last // 2, last // 2 + 1),
        "last": (last - 1, last),
        "far apart": (1, last),
    }
    one, other = places[place]
    _meddle(audited.engine, *_reorder(one, other))
    found = casework.verify_audit(audited.engine)
    assert any(f"Row {one} was changed." in finding for finding in found.findings)
    _meddle_again(audited.engine, *_reorder(one, other))
    assert casework.verify_audit(audited.engine).is_sound


def _meddle_again(engine: Engine, *statements: str) -> None:
    with transaction(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


_FORGED = (
    "INSERT INTO audit SELECT {number}, at, actor_id, actor_kind, roles, 'invented', household_id, "
    "subject, purpose, correlation_id, detail, '{previous}', '{own}' FROM audit WHERE sequence = 1"
)


@pytest.mark.parametrize("with_head", [False, True], ids=["without its head", "with its head"])
def test_a_row_added_behind_the_last_one_is_found(audited: Office, with_head: bool) -> None:
    head = casework.verify_audit(audited.engine).head
    own = "a" * 64
    forged = _FORGED.format(number=head.sequence + 1, previous=head.hash, own=own)
    moved = f"UPDATE audit_head SET sequence = {head.sequence + 1}, hash = '{own}'"
    _meddle(audited.engine, forged, *([moved] if with_head else []))
    findings = casework.verify_audit(audited.engine).findings
    assert f"Row {head.sequence + 1} was changed." in findings
    assert any("head says" in finding for finding in findings) != with_head


@pytest.mark.parametrize("number", [0, -5])
def test_a_row_added_before_the_first_one_is_found(audited: Office, number: int) -> None:
    forged = _FORGED.format(number=number, previous="b" * 64, own="a" * 64)
    _meddle(audited.engine, forged)
    findings = casework.verify_audit(audited.engine).findings
    assert findings == (f"Row {number} stands before the first one.",)


@pytest.mark.parametrize("behind", [0, 1, 5])
def test_a_row_put_between_others_is_found(audited: Office, behind: int) -> None:
    last = casework.verify_audit(audited.engine).last
    away = f"UPDATE audit SET sequence = -sequence WHERE sequence > {behind}"
    back = "UPDATE audit SET sequence = 1 - sequence WHERE sequence < 0"
    copied = 1 if behind else 2
    forged = _FORGED.format(number=behind + 1, previous="b" * 64, own="a" * 64)
    _meddle(
        audited.engine,
        away,
        back,
        forged.replace("WHERE sequence = 1", f"WHERE sequence = {copied}"),
        f"UPDATE audit_head SET sequence = {last + 1}",
    )
    findings = casework.verify_audit(audited.engine).findings
    assert f"Row {behind + 1} was changed." in findings
    assert f"Row {behind + 2} was changed." in findings


def test_a_check_says_what_it_could_not_tell(audited: Office, tmp_path: Path) -> None:
    found = casework.verify_audit(audited.engine)
    assert found.is_sound
    assert ["No exported head was at hand" in one for one in found.cautions] == [True]
    file = tmp_path / "heads.txt"
    casework.export_head(audited.engine, file, now=NOW)
    exported = casework.read_heads(file)
    assert casework.verify_audit(audited.engine, exported=exported).cautions == ()
    audited.flags("reviewer")
    (caution,) = casework.verify_audit(audited.engine, exported=exported).cautions
    assert f"row {exported[0].sequence}:" in caution
    key = casework.signing_key(tmp_path / "audit.key")
    audited.clock.advance(timedelta(days=800))
    with audited.desk("retain") as desk:
        casework.end_stretch(desk, months=24, key=key)
    casework.export_head(audited.engine, file, now=NOW)
    exported = casework.read_heads(file)
    (caution,) = casework.verify_audit(audited.engine, exported=exported).cautions
    assert "No public key was at hand" in caution
    public = casework.public_key_of(key)
    assert casework.verify_audit(audited.engine, exported=exported, public_key=public) == (
        replace(casework.verify_audit(audited.engine, exported=exported), cautions=())
    )


def test_what_somebody_named_to_vouch_for_the_audit_must_be_there(tmp_path: Path) -> None:
    heads, key = tmp_path / "heads.txt", tmp_path / "audit.pub"
    assert casework.read_vouchers(heads, key) == casework.Vouchers()
    with pytest.raises(SettingsInvalid, match=r"heads\.txt"):
        casework.read_vouchers(heads, key, stated=(heads, None))
    casework.write_public_key(casework.signing_key(tmp_path / "audit.key"), key)
    found = casework.read_vouchers(heads, key, stated=(None, key))
    assert found.public_key == casework.public_key_of(casework.signing_key(tmp_path / "audit.key"))


def test_a_legal_hold_keeps_the_audit_from_its_first_row_about_the_household(
    audited: Office, tmp_path: Path
) -> None:
    key = casework.signing_key(tmp_path / "audit.key")
    with begin(audited.engine) as unit:
        first = min(row.sequence for row in unit.audit.about(household_id(3)))
    with audited.desk("manager") as desk:
        hold = casework.suppress(desk, household_id(3), SuppressionKind.LEGAL_HOLD)
    old = casework.verify_audit(audited.engine).last
    audited.clock.advance(timedelta(days=800))
    audited.flags("reviewer")
    with audited.desk("retain") as desk:
        foreseen = casework.end_stretch(desk, months=24, key=None)
    with audited.desk("retain") as desk:
        done = casework.end_stretch(desk, months=24, key=key)
    assert foreseen == done == casework.Stretch(first - 1, old - first + 1)
    assert casework.verify_audit(audited.engine).first == first
    with audited.desk("manager") as desk:
        casework.end_suppression(desk, hold)
    with audited.desk("retain") as desk:
        rest = casework.end_stretch(desk, months=24, key=key)
    assert rest == casework.Stretch(old - first + 1, 0)


def test_an_audit_emptied_with_its_head_is_found_by_the_exported_head(
    audited: Office, tmp_path: Path
) -> None:
    file = tmp_path / "heads.txt"
    casework.export_head(audited.engine, file, now=NOW)
    zero = "0" * 64
    _meddle(
        audited.engine,
        "DELETE FROM audit",
        f"UPDATE audit_head SET sequence = 0, hash = '{zero}'",
    )
    assert casework.verify_audit(audited.engine).is_sound
    found = casework.verify_audit(audited.engine, exported=casework.read_heads(file))
    assert "exported" in found.findings[0]


def test_rows_removed_at_the_end_with_the_head_set_back_are_found_by_the_exported_head(
    audited: Office, tmp_path: Path
) -> None:
    file = tmp_path / "heads.txt"
    head = casework.export_head(audited.engine, file, now=NOW)
    last = head.sequence
    with begin(audited.engine) as unit:
        kept = list(unit.audit.rows())[-3]
    _meddle(
        audited.engine,
        f"DELETE FROM audit WHERE sequence > {kept.sequence}",
        f"UPDATE audit_head SET sequence = {kept.sequence}, hash = '{kept.hash}'",
    )
    # Nothing inside the database tells any more: this is what heads are exported for.
    assert casework.verify_audit(audited.engine).last == last - 2
    assert casework.verify_audit(audited.engine).is_sound
    found = casework.verify_audit(audited.engine, exported=casework.read_heads(file))
    assert not found.is_sound
    with pytest.raises(AuditBroken):
        casework.check_audit(audited.engine, exported=casework.read_heads(file))


def test_a_chain_written_anew_is_found_by_the_exported_head(
    audited: Office, tmp_path: Path
) -> None:
    file = tmp_path / "heads.txt"
    casework.export_head(audited.engine, file, now=NOW)
    count = casework.verify_audit(audited.engine).last
    _meddle(
        audited.engine,
        "DELETE FROM audit",
        f"UPDATE audit_head SET sequence = 0, hash = '{'0' * 64}'",
    )
    with audited.desk("audit") as desk:
        for _ in range(count):
            desk.unit.audit.append(desk.entry("invented"))
    assert casework.verify_audit(audited.engine).is_sound
    found = casework.verify_audit(audited.engine, exported=casework.read_heads(file))
    assert f"Row {count} is not the one whose head was exported." in found.findings


def test_exported_heads_that_hold_are_met(audited: Office, tmp_path: Path) -> None:
    file = tmp_path / "heads.txt"
    first = casework.export_head(audited.engine, file, now=NOW)
    audited.flags("reviewer")
    casework.export_head(audited.engine, file, now=NOW + timedelta(days=1))
    heads = casework.read_heads(file)
    assert heads[0] == first
    assert len(heads) == 2
    assert casework.verify_audit(audited.engine, exported=heads).is_sound


def test_a_file_of_heads_that_is_damaged_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "heads.txt"
    file.write_text("2026-10-01T09:00:00+00:00 12\n")
    with pytest.raises(AuditBroken, match="line 1"):
        casework.read_heads(file)


def test_retention_ends_a_stretch_with_a_signed_checkpoint(audited: Office, tmp_path: Path) -> None:
    key = casework.signing_key(tmp_path / "audit.key")
    public = casework.public_key_of(key)
    assert casework.public_key_of(casework.signing_key(tmp_path / "audit.key")) == public
    head = casework.export_head(audited.engine, tmp_path / "heads.txt", now=NOW)
    old = casework.verify_audit(audited.engine).last
    audited.clock.advance(timedelta(days=800))
    audited.flags("reviewer")
    with audited.desk("retain") as desk:
        assert casework.end_stretch(desk, months=24, key=None).deleted == old
    assert casework.verify_audit(audited.engine).first == 1
    with audited.desk("retain") as desk:
        assert casework.end_stretch(desk, months=24, key=key).deleted == old
    found = casework.verify_audit(audited.engine, exported=[head], public_key=public)
    assert found.findings == ()
    assert (found.first, found.rows) == (old + 1, found.last - old)
    with audited.desk("retain") as desk:
        assert casework.end_stretch(desk, months=24, key=key).deleted == 0


def test_a_checkpoint_that_somebody_else_signed_is_found(audited: Office, tmp_path: Path) -> None:
    key = casework.signing_key(tmp_path / "audit.key")
    other = casework.signing_key(tmp_path / "other.key")
    audited.clock.advance(timedelta(days=800))
    with audited.desk("retain") as desk:
        casework.end_stretch(desk, months=24, key=other)
    assert casework.verify_audit(audited.engine).is_sound
    found = casework.verify_audit(audited.engine, public_key=casework.public_key_of(key))
    assert "not signed by the right key" in found.findings[0]


def test_a_stretch_removed_without_a_checkpoint_or_with_a_changed_one_is_found(
    audited: Office, tmp_path: Path
) -> None:
    key = casework.signing_key(tmp_path / "audit.key")
    audited.clock.advance(timedelta(days=800))
    with audited.desk("retain") as desk:
        casework.end_stretch(desk, months=24, key=key)
    audited.flags("reviewer")
    _meddle(audited.engine, "UPDATE audit_checkpoints SET through_sequence = through_sequence + 1")
    assert not casework.verify_audit(audited.engine).is_sound


def test_only_retention_ends_a_stretch(audited: Office, tmp_path: Path) -> None:
    key = casework.signing_key(tmp_path / "audit.key")
    for who in ("auditor", "manager", "admin"):
        with pytest.raises(NotAllowed), audited.desk(who) as desk:
            casework.end_stretch(desk, months=24, key=key)


def test_a_detail_that_is_not_declared_is_refused() -> None:
    with pytest.raises(ValueError, match="address"):
        AuditEntry(NOW, "a", ActorKind.PERSON, "officer", "x", "", detail={"address": "1 Road"})


def test_the_audit_is_read_page_by_page_newest_first(audited: Office) -> None:
    with begin(audited.engine) as unit:
        everything = [row.sequence for row in unit.audit.rows()]
    seen: list[int] = []
    with audited.desk("auditor") as desk:
        page = casework.read_audit(desk, limit=5)
        while page:
            seen += [row.sequence for row in page]
            page = casework.read_audit(desk, limit=5, before=page[-1].sequence)
    assert seen == everything[::-1]
    with audited.desk("auditor") as desk:
        some = casework.read_audit(desk, action="flag_raised", since=NOW, limit=100)
    assert len(some) == 8
    assert date(2026, 10, 1) == some[0].at.date()


def test_only_auditors_read_the_audit(audited: Office) -> None:
    for who in ("officer", "reviewer", "manager", "analyst", "admin"):
        with pytest.raises(NotAllowed), audited.desk(who) as desk:
            casework.read_audit(desk)


def test_a_head_that_is_gone_is_found(audited: Office) -> None:
    _meddle(audited.engine, "DELETE FROM audit_head")
    with pytest.raises(AuditBroken, match="head"):
        casework.verify_audit(audited.engine, exported=[AuditHead(1, "x")])
