"""The database: its schema on both kinds, publication of runs, what comes back."""

from __future__ import annotations

import dataclasses
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

from earlyflag import casework, store
from earlyflag.casework import system_actor
from earlyflag.core.errors import Conflict, Misused, SettingsInvalid, StepMissing
from earlyflag.core.terms import ScoringRun, TimelineEvent
from earlyflag.store.database import schema_version, transaction
from earlyflag.store.encoding import decode_detail, encode_detail
from earlyflag.store.keys import name_key, postcode_key, reference_key, uprn_key
from earlyflag.store.tables import Base
from earlyflag.store.terms import Role
from earlyflag.store.units import begin
from tests.databases import fresh_sqlite
from tests.office import AS_OF, MODEL, NOW, Office, household, household_id, score


def test_the_migrations_make_the_tables_that_are_declared(engine: Engine) -> None:
    with transaction(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_an_upgrade_of_a_new_database_changes_nothing(engine: Engine) -> None:
    before = schema_version(engine)
    store.upgrade(engine)
    assert schema_version(engine) == before
    store.check_ready(engine)


def test_a_database_without_a_schema_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(StepMissing, match="schema none"):
        store.check_ready(store.connect(f"sqlite:///{tmp_path / 'new.db'}"))


def test_a_database_that_cannot_be_reached_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(StepMissing, match="cannot be reached"):
        store.check_ready(store.connect(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}"))


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(SettingsInvalid):
        store.connect("mysql://somewhere/else")


def test_sqlite_is_set_for_durable_work(tmp_path: Path) -> None:
    made = store.connect(f"sqlite:///{tmp_path / 'new.db'}")
    with made.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    made.dispose()


def test_an_instant_without_a_zone_is_refused_and_one_with_any_comes_back_in_utc(
    office: Office,
) -> None:
    with pytest.raises(Exception, match="time zone"), begin(office.engine) as unit:
        unit.access.touch_session("x", datetime(2026, 1, 1))  # noqa: DTZ001 (the point)
    with begin(office.engine) as unit:
        assert unit.access.accounts()[0].created_at.tzinfo is UTC


def test_what_is_published_comes_back_as_it_was(office: Office) -> None:
    office.publish([1, 2, 3])
    with begin(office.engine) as unit:
        run = unit.borough.latest_run()
        assert run is not None
        assert (run.run_id, run.model, run.cannot_score) == ("run-1", MODEL, {"no_account": 2})
        line = unit.borough.score(household_id(2))
        sent = score(2, 2, 3)
        assert line is not None
        for name in ("probability", "log_odds", "base_log_odds", "band", "rank", "as_of"):
            assert getattr(line, name) == getattr(sent, name)
        detail = unit.borough.score_detail(household_id(2), "run-1")
        assert detail == decode_detail(encode_detail(sent))
        assert detail is not None
        assert detail.reasons == sent.reasons
        assert detail.changes == sent.changes
        assert unit.borough.household(household_id(2), None) == household(2)
        assert unit.borough.timeline(household_id(2))[0].text == "Paid council tax"


def test_publishing_a_run_twice_changes_nothing(office: Office) -> None:
    assert office.publish([1, 2])
    assert not office.publish([2, 1])
    with begin(office.engine) as unit:
        assert unit.borough.score(household_id(1)).rank == 1


def test_a_changed_model_or_number_under_the_same_name_is_refused(office: Office) -> None:
    office.publish([1, 2])
    with pytest.raises(Conflict, match="identifier of its own"):
        office.publish([1, 2, 3])


def _publish(office: Office, scored: int, sent: int) -> bool:
    run = ScoringRun("half", AS_OF, MODEL, "d", 10, scored, {})
    return casework.publish(
        office.engine,
        system_actor("score"),
        run,
        (score(n, n, scored) for n in range(1, sent + 1)),
        [household(n) for n in range(1, scored + 1)],
        now=NOW,
        rules=office.rules,
    )


def test_a_run_that_stopped_halfway_is_not_seen_and_is_finished_later(office: Office) -> None:
    with pytest.raises(Conflict, match="2 scores came"):
        _publish(office, 3, 2)
    with begin(office.engine) as unit:
        assert unit.borough.latest_run() is None
        assert unit.borough.history(household_id(1)) == []
    assert _publish(office, 3, 3)
    with begin(office.engine) as unit:
        assert len(unit.borough.history(household_id(1))) == 1


def test_a_run_of_an_older_cut_off_adds_to_the_history_and_takes_nothing_back(
    office: Office,
) -> None:
    office.publish([1, 2])
    before = date(2026, 1, 1)
    office.publish([2, 1, 3], run_id="run-0", as_of=before)
    with begin(office.engine) as unit:
        newest = unit.borough.household(household_id(1), None)
        only_known_then = unit.borough.household(household_id(3), None)
        timelines = [unit.borough.timeline(household_id(number)) for number in (1, 3)]
        history = unit.borough.history(household_id(1))
    assert newest == household(1)
    assert only_known_then == household(3, before)
    assert [[event.happened_on for event in events] for events in timelines] == [[AS_OF], [before]]
    assert [line.run_id for line in history] == ["run-1", "run-0"]


def test_a_later_run_replaces_the_household_and_keeps_the_scores(office: Office) -> None:
    office.publish([1])
    moved = dataclasses.replace(
        household(1), as_of=date(2026, 11, 1), tenancy_refs=("NEW1",), members=()
    )
    run = ScoringRun("run-2", date(2026, 11, 1), MODEL, "d", 10, 1, {})
    casework.publish(
        office.engine,
        system_actor("score"),
        run,
        [score(1, 1, 1, date(2026, 11, 1))],
        [moved],
        now=NOW,
        rules=office.rules,
    )
    with begin(office.engine) as unit:
        assert unit.borough.household(household_id(1), None) == moved
        assert unit.borough.find_by_reference("tenancy", "TEN1") == []
        assert [line.run_id for line in unit.borough.history(household_id(1))] == [
            "run-2",
            "run-1",
        ]


def test_timeline_events_that_come_apart_are_refused(office: Office) -> None:
    events = [TimelineEvent(one, AS_OF, "x", "x", "x") for one in ("H1", "H2", "H1")]
    with pytest.raises(Misused):
        store.publish_run(
            office.engine,
            ScoringRun("run-1", AS_OF, MODEL, "d", 10, 0, {}),
            [],
            [],
            events,
            now=NOW,
            audit=None,  # type: ignore[arg-type]
        )


def test_how_references_names_and_postcodes_are_compared() -> None:
    assert name_key("  Zoë  O'Brien-Lowe ") == "zoe obrien lowe"
    assert postcode_key("e8 1ea ") == "E81EA"
    assert reference_key(" 30001 2x") == "300012X"
    assert uprn_key("42") == "000000000042"


def test_a_household_page_reads_through_indexes_only(sqlite_model: Path, tmp_path: Path) -> None:
    office = Office(fresh_sqlite(sqlite_model, tmp_path))
    office.hire("reviewer", Role.REVIEWER)
    office.publish(range(1, 4))
    office.raise_flags(2)
    office.take("reviewer", 1)
    statements: list[tuple[str, object]] = []

    def note(_c, _cursor, statement, parameters, _context, many) -> None:
        if statement.lstrip().upper().startswith("SELECT") and not many:
            statements.append((statement, parameters))

    event.listen(office.engine, "before_cursor_execute", note)
    with office.desk("reviewer") as desk:
        casework.get_household(desk, household_id(1))
        casework.get_flag(desk, desk.unit.flags.of_household(household_id(1))[0].flag_id)
    event.remove(office.engine, "before_cursor_execute", note)
    allowed = ("accounts", "audit_head", "scoring_runs")
    with office.engine.connect() as connection:
        for statement, parameters in statements:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            scans = [row[3] for row in plan if row[3].startswith("SCAN")]
            assert all(any(name in scan for name in allowed) for scan in scans), (statement, scans)
    office.engine.dispose()


def test_the_applications_role_may_only_add_to_the_audit(office: Office) -> None:
    if office.engine.dialect.name == "sqlite":
        with pytest.raises(Misused):
            store.grant_application(office.engine, "app")
        return
    office.publish([1])
    office.raise_flags(1)
    name = f"app_{office.engine.url.database}"
    with transaction(office.engine) as connection:
        connection.execute(text(f"CREATE ROLE {name}"))
    store.grant_application(office.engine, name)
    as_role = text(f"SET LOCAL ROLE {name}")
    event.listen(office.engine, "begin", lambda connection: connection.execute(as_role))
    office.take("reviewer", 1)
    assert casework.verify_audit(office.engine).is_sound
    for statement in (
        "UPDATE audit SET action = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DELETE FROM audit_head",
        "INSERT INTO audit_checkpoints VALUES (1, '', 1, now(), '', '')",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "DROP TABLE audit",
    ):
        with (
            pytest.raises(DBAPIError, match=r"permission denied|must be owner"),
            transaction(office.engine) as connection,
        ):
            connection.execute(text(statement))


def test_writers_of_one_process_take_turns_in_the_order_they_came(
    sqlite_model: Path, tmp_path: Path
) -> None:
    made = fresh_sqlite(sqlite_model, tmp_path)
    order: list[int] = []
    started = [threading.Event() for _ in range(5)]

    def write(number: int) -> None:
        started[number].set()
        with transaction(made):
            order.append(number)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    with transaction(made):
        for number, writer in enumerate(writers):
            writer.start()
            started[number].wait()
            time.sleep(0.05)
    for writer in writers:
        writer.join()
    assert order == sorted(order)
    with pytest.raises(RuntimeError, match="inside another"), transaction(made), transaction(made):
        pass
    with transaction(made):
        order.append(5)
    assert order[-1] == 5
    made.dispose()
