"""Running totals give what counting every row would: any day, late rows, replaced rows."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from earlyflag.core.clock import add_months
from earlyflag.features.backends import DuckDBBackend
from earlyflag.features.ledgers import COUNCIL_TAX_LEDGER
from earlyflag.features.monthly import Column, MonthlyLedger, columns
from earlyflag.features.periods import index, phases
from tests.feature_cases import HandmadeHouseholds, HandmadeTables

START = date(2022, 1, 1)
days = st.integers(0, 1400).map(lambda n: START + timedelta(days=n))
KINDS = {"charge": 1, "payment": -1, "failed_payment": 1, "costs": 1}
rows = st.builds(
    lambda account, kind, amount, happened, late, replaced: {
        "account_ref": account,
        "kind": kind,
        "amount_pence": KINDS[kind] * amount,
        "happened_on": happened,
        "known_on": happened + timedelta(days=late),
        "superseded_on": replaced,
    },
    st.sampled_from(["A1", "A2", "A3"]),
    st.sampled_from(sorted(KINDS)),
    st.integers(1, 50_000),
    days,
    st.one_of(st.just(0), st.integers(-60, 40), st.integers(0, 500)),
    st.one_of(st.none(), st.none(), days),
)
OWNERS = {"A1": "H1", "A2": "H1", "A3": "H3"}


VALUES = {
    "rows": lambda row: 1,
    "balance": lambda row: row["amount_pence"],
    "paid": lambda row: -row["amount_pence"] if row["kind"] in ("payment", "failed_payment") else 0,
}
"""What a reader of the declaration would add up."""

WANTED = [column for column in columns(COUNCIL_TAX_LEDGER) if column.measure in VALUES]


def counted(ledger: list[dict], owner: str, as_of: date, column: Column) -> float:
    """Return a column by looking at every row, by the rule of visibility."""
    newest = add_months(as_of, -column.newer)
    oldest = add_months(as_of, -column.older) if column.older is not None else date.min
    return sum(
        VALUES[column.measure](row)
        for row in ledger
        if OWNERS[row["account_ref"]] == owner
        and row["known_on"] < as_of
        and (row["superseded_on"] is None or row["superseded_on"] >= as_of)
        and oldest <= row["happened_on"] < newest
    )


@settings(max_examples=15, deadline=None)
@given(st.lists(rows, min_size=1, max_size=25), st.lists(days, min_size=1, max_size=2))
def test_every_window_equals_a_count_of_the_visible_rows(ledger, cut_offs):
    ledger = [{**row, "transaction_ref": f"T{n}"} for n, row in enumerate(ledger)]
    con = duckdb.connect(config={"threads": 1})
    HandmadeTables({"council_tax_transactions": ledger}).register(con)
    HandmadeHouseholds(
        [(owner, None, account, None, date(2000, 1, 1), None) for account, owner in OWNERS.items()],
        [],
        [],
    ).register(con)
    backend = DuckDBBackend(con)
    con.execute("CREATE TEMP TABLE homes_at AS SELECT * FROM household_homes")
    names = [column.name for column in WANTED]
    for day, together in phases(cut_offs).items():
        monthly = MonthlyLedger(COUNCIL_TAX_LEDGER, day, [index(each) for each in together], names)
        backend.tables(monthly.once())
        for as_of in together:
            backend.table("cut_off", "SELECT $as_of AS as_of", {"as_of": as_of})
            backend.tables(monthly.at(index(as_of)))
            found = {
                row[0]: row[1:]
                for row in con.execute(
                    f"SELECT household_id, {', '.join(names)} FROM council_tax_ledger_at"
                ).fetchall()
            }
            for owner in ("H1", "H3"):
                expected = [counted(ledger, owner, as_of, column) for column in WANTED]
                assert list(found.get(owner, [0.0] * len(names))) == expected
        backend.drop(*monthly.made)
    con.close()
