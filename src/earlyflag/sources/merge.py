"""A delivery's good rows against the store: new, repeated, corrected or late.

Versions of a row are ordered by the day of their delivery. A version is known from its own
`known_on`, or from its delivery where the correction states no later date; the version before it
is superseded from that day. A version that only adds what has its own date of knowledge (the end
of a spell, a duty, a closure) completes the row and takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from earlyflag.sources import sql
from earlyflag.sources.declare import Table
from earlyflag.sources.validate import canonical_columns

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CONFLICT = "same_key_differs"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The facts of a delivery that decide which version of a row is the newer one.

    Attributes
    ----------
    dated : the delivery's day was stated or stands in its file names; else it is the day of
        ingestion, and a row that says it was known earlier than the stored one is not newer
    number : counts up; decides between two deliveries of one day
    """

    on: date
    number: int
    dated: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the good rows: counts, and whether stored rows must be rewritten."""

    new: int
    changed: int
    superseded: int
    duplicates: int
    conflicts: int


def row_hash(table: Table, *, stored: bool = False) -> str:
    """Return SQL of a 64-bit hash of a row's content as it was delivered."""
    cells = ", ".join(
        "coalesce(stated_known_on, known_on)" if stored and c.name == "known_on" else c.name
        for c in canonical_columns(table)
    )
    return f"hash({cells})"


def key_hash(table: Table) -> str:
    """Return SQL of a 64-bit hash of a row's key."""
    return f"hash({', '.join(table.key)})"


def merge(con: DuckDBPyConnection, table: Table, stored: str | None, delivery: Delivery) -> Merged:
    """Sort the good rows of the view `staged` and prepare what is to be written.

    Parameters
    ----------
    con : has the view `staged(file_no, record, <columns>, problem, kh, rh)`
    stored : SQL of the table's stored rows, or None

    Returns
    -------
    counts. The connection then has `verdicts(file_no, record, verdict)` for rows that are not
    plainly new, `chains` (all versions of the keys that changed, ready to store) and the view
    `fresh` (new rows, ready to store).
    """
    _mark_repeats(con, table)
    met = ""
    if stored is not None:
        _compare(con, table, stored, delivery)
        _chain(con, table, stored, delivery)
        met = "ANTI JOIN against USING (file_no, record) "
    con.execute(
        f"CREATE OR REPLACE VIEW fresh AS SELECT {_stored_columns(table)}, "
        "CAST(NULL AS DATE) AS stated_known_on, CAST(NULL AS DATE) AS superseded_on, "
        f"DATE '{delivery.on}' AS delivered_on, CAST({delivery.number} AS INTEGER) AS delivery "
        f"FROM staged ANTI JOIN verdicts USING (file_no, record) {met}WHERE problem IS NULL"
    )
    return _counts(con, met=stored is not None)


def _stored_columns(table: Table) -> str:
    return ", ".join(c.name for c in canonical_columns(table))


def _mark_repeats(con: DuckDBPyConnection, table: Table) -> None:
    """Find keys that come more than once: repeats are duplicates, different ones conflict."""
    con.execute(
        "CREATE OR REPLACE TABLE repeated AS SELECT kh FROM staged "
        "WHERE problem IS NULL GROUP BY kh HAVING count(*) > 1"
    )
    key = sql.names(table.key)
    con.execute(
        "CREATE OR REPLACE TABLE verdicts AS WITH same AS ("
        f"SELECT file_no, record, "
        f"row_number() OVER (PARTITION BY {key}, rh ORDER BY file_no, record) AS nth, "
        f"min(rh) OVER (PARTITION BY {key}) <> max(rh) OVER (PARTITION BY {key}) AS differs "
        "FROM staged SEMI JOIN repeated USING (kh) WHERE problem IS NULL) "
        f"SELECT file_no, record, CASE WHEN nth > 1 THEN 'duplicate' ELSE '{CONFLICT}' END "
        "AS verdict FROM same WHERE nth > 1 OR differs"
    )


def _compare(con: DuckDBPyConnection, table: Table, stored: str, delivery: Delivery) -> None:
    """Find rows whose key is stored: with the same content (duplicate) or another (changed)."""
    con.execute(
        "CREATE OR REPLACE TABLE against AS "
        f"WITH kept AS (SELECT {key_hash(table)} AS kh, {row_hash(table, stored=True)} AS old_rh, "
        f"superseded_on IS NULL AS current FROM {stored}), "
        "offered AS (SELECT file_no, record, kh, rh FROM staged "
        "ANTI JOIN verdicts USING (file_no, record) WHERE problem IS NULL), "
        "met AS (SELECT file_no, record, "
        f"bool_or(rh = old_rh AND (current OR {'false' if delivery.dated else 'true'})) AS same "
        "FROM offered JOIN kept USING (kh) GROUP BY file_no, record) "
        "SELECT file_no, record, CASE WHEN same THEN 'duplicate' ELSE 'changed' END AS verdict "
        "FROM met"
    )


def _chain(con: DuckDBPyConnection, table: Table, stored: str, delivery: Delivery) -> None:
    """Order all versions of the changed keys and date them; see the module's docstring."""
    columns = _stored_columns(table)
    dated = table.dated_by is not None
    stated = "coalesce(stated_known_on, known_on)" if dated else "CAST(NULL AS DATE)"
    new = (
        f"SELECT {columns}, {'known_on' if dated else 'CAST(NULL AS DATE)'} AS stated, "
        f"DATE '{delivery.on}' AS delivered_on, CAST({delivery.number} AS INTEGER) AS delivery, "
        "true AS is_new FROM staged "
        "JOIN against USING (file_no, record) WHERE verdict = 'changed'"
    )
    old = (
        f"SELECT {columns}, {stated} AS stated, delivered_on, delivery, false AS is_new "
        f"FROM {stored} SEMI JOIN (SELECT {sql.names(table.key)} FROM incoming) "
        f"USING ({sql.names(table.key)})"
    )
    con.execute(f"CREATE OR REPLACE TABLE incoming AS {new}")
    con.execute(f"CREATE OR REPLACE TABLE versions AS {old} UNION ALL SELECT * FROM incoming")
    con.execute(f"CREATE OR REPLACE TABLE chains AS {_chain_query(table, delivery)}")


def _chain_query(table: Table, delivery: Delivery) -> str:
    """Return the query that puts the versions of each key in order and dates them.

    A version is *stated* known on a day, *delivered* on another, and *known* from a third: its
    stated day where that is later than any stated before, else the day of its delivery. No earlier
    version keeps it hidden for longer: a stated day far in the future, mended by a later delivery,
    must not outlast the mending.
    """
    key = sql.names(table.key)
    order = f"PARTITION BY {key} ORDER BY delivered_on, facts, delivery, is_new"
    before = f"({order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    after = f"({order} ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)"
    names = [c.name for c in canonical_columns(table) if c.name != "known_on"]
    same = " AND ".join(f"{n} IS NOT DISTINCT FROM lag({n}) OVER w" for n in [*names, "stated"])
    finals = ", ".join(
        "known AS known_on" if c.name == "known_on" else c.name for c in canonical_columns(table)
    )
    return f"""
        WITH turned AS (
            SELECT * REPLACE ({_turn(key, delivery)} AS delivered_on), {_facts(table)} AS facts
            FROM versions),
        compared AS (
            SELECT *, row_number() OVER w > 1 AND {same} AS same,
                row_number() OVER w > 1 AND {_completes(table)} AS completes
            FROM turned WINDOW w AS ({order})),
        kept AS (SELECT *, coalesce(stated, delivered_on) AS claimed FROM compared WHERE NOT same),
        begun AS (
            SELECT *, row_number() OVER ({order}) AS nth,
                CASE WHEN completes THEN NULL
                     WHEN coalesce(claimed > max(claimed) OVER {before}, true) THEN claimed
                     ELSE greatest(delivered_on, claimed) END AS begins,
                count(*) FILTER (NOT completes) OVER ({order} ROWS UNBOUNDED PRECEDING) AS head
            FROM kept),
        bounded AS (
            SELECT *, CASE WHEN nth = 1 THEN begins WHEN NOT completes THEN greatest(begins,
                least(max(begins) OVER {before}, delivered_on)) END AS opens
            FROM begun),
        known AS (SELECT *, max(opens) OVER (PARTITION BY {key}, head) AS known FROM bounded),
        closed AS (SELECT *, min(known) OVER {after} AS superseded_on FROM known)
        SELECT {finals}, CASE WHEN stated IS DISTINCT FROM known THEN stated END
            AS stated_known_on, superseded_on, delivered_on, delivery, is_new,
            nth > 1 AND superseded_on IS NULL AS supersedes
        FROM closed"""


def _turn(key: str, delivery: Delivery) -> str:
    """Return SQL of the day that puts a version in its place among the others.

    An undated delivery that states an earlier day of knowledge than a stored version is old: it
    is put before all of them.
    """
    if delivery.dated:
        return "delivered_on"
    of_key = f"OVER (PARTITION BY {key})"
    return (
        f"CASE WHEN is_new AND stated < max(stated) {of_key} "
        f"THEN CAST(least(stated, min(delivered_on) {of_key}) - INTERVAL 1 DAY AS DATE) "
        "ELSE delivered_on END"
    )


def _facts(table: Table) -> str:
    """Return SQL that counts the facts with a date of their own which a version has."""
    counts = [
        f"CAST({c.name} IS NOT NULL AND coalesce({c.name} NOT IN {sql.texts(c.pending)}, true) "
        "AS INTEGER)"
        if c.pending
        else f"CAST({c.name} IS NOT NULL AS INTEGER)"
        for c in table.columns
        if c.known_by
    ]
    return " + ".join(counts) or "0"


def _completes(table: Table) -> str:
    """Return SQL that is true where a version only adds facts that have their own date."""
    parts = ["stated IS NOT DISTINCT FROM lag(stated) OVER w"]
    late = {c.name for c in table.columns if c.known_by}
    if not late:
        return "false"
    for column in canonical_columns(table):
        if column.name == "known_on":
            continue
        before = f"lag({column.name}) OVER w"
        same = f"{column.name} IS NOT DISTINCT FROM {before}"
        if column.name in late:
            pending = f" OR {before} IN {sql.texts(column.pending)}" if column.pending else ""
            same = f"({same} OR {before} IS NULL{pending})"
        parts.append(same)
    return " AND ".join(parts)


def _counts(con: DuckDBPyConnection, *, met: bool) -> Merged:
    items = [
        "(SELECT count(*) FROM staged WHERE problem IS NULL)",
        "(SELECT count(*) FROM verdicts WHERE verdict = 'duplicate')",
        f"(SELECT count(*) FROM verdicts WHERE verdict = '{CONFLICT}')",
    ]
    if met:
        items += [
            "(SELECT count(*) FROM against WHERE verdict = 'duplicate')",
            "(SELECT count(*) FROM against WHERE verdict = 'changed')",
            "(SELECT count(*) FROM chains WHERE is_new)",
            "(SELECT count(*) FROM chains WHERE is_new AND supersedes)",
        ]
    found = [int(value) for value in con.execute(f"SELECT {', '.join(items)}").fetchall()[0]]
    good, repeats, conflicts, stored, offered, changed, superseded = (*found, 0, 0, 0, 0)[:7]
    return Merged(
        new=good - repeats - conflicts - stored - offered,
        changed=changed,
        superseded=superseded,
        # A version that turned out equal to its neighbour in the chain is a repeat as well.
        duplicates=repeats + stored + offered - changed,
        conflicts=conflicts,
    )
