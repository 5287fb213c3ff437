"""Person records and homes as every source states them, in one shape and with their dates.

Every row carries the days between which it may be used: `known_after` (usable at cut-offs later
than this day) and `known_until` (null, or the last cut-off at which it is usable). A spell is
live at `as_of` when `start_after < as_of <= live_until`; nothing else in linkage reads a date.
"""

from __future__ import annotations

from typing import Protocol

import duckdb

from earlyflag.linkage.parameters import Parameters

TABLES_READ = (
    "properties",
    "council_tax_accounts",
    "council_tax_people",
    "tenancies",
    "tenancy_people",
    "homelessness_cases",
)

FOREVER = "DATE '9999-12-31'"

# Years of birth that systems write when nobody asked.
PLACEHOLDER_BIRTHS = "('1900-01-01', '1901-01-01', '1899-12-31', '1970-01-01', '9999-12-31')"


class SourceTables(Protocol):
    """What linkage asks of the tables: their views in a connection."""

    def register(self, con: duckdb.DuckDBPyConnection) -> None:
        """Create one typed view for each contract table."""


def prepare(con: duckdb.DuckDBPyConnection, tables: SourceTables, parameters: Parameters) -> None:
    """Create the tables that linkage works on: `unit_spells`, `roster_spells`, `appearances`.

    A *unit* is an account or a tenancy; a *roster* says who is on it; an *appearance* is one way
    in which a source writes a person down (name, date of birth, home), the row that is compared.
    """
    tables.register(con)
    _create_normalisers(con, parameters)
    con.execute(_UNIT_SPELLS)
    con.execute(_ROSTER_SPELLS)
    con.execute(_RAW_APPEARANCES)
    con.execute(_NORMALISED)
    con.execute(_APPEARANCES.format(**parameters.rare))


def _create_normalisers(con: duckdb.DuckDBPyConnection, parameters: Parameters) -> None:
    con.execute("CREATE TEMP TABLE nickname (short VARCHAR, root VARCHAR)")
    con.execute("CREATE TEMP TABLE frequency (part VARCHAR, name VARCHAR, share DOUBLE)")
    # One statement with two lists: executemany would send a thousand statements.
    nicknames = sorted(parameters.nicknames.items())
    con.execute(
        "INSERT INTO nickname SELECT unnest($1::VARCHAR[]), unnest($2::VARCHAR[])",
        [[short for short, _ in nicknames], [root for _, root in nicknames]],
    )
    for part in ("forename", "surname"):
        shares = sorted(parameters.frequencies[part].items())
        con.execute(
            "INSERT INTO frequency SELECT $1, unnest($2::VARCHAR[]), unnest($3::DOUBLE[])",
            [part, [name for name, _ in shares], [share for _, share in shares]],
        )
    con.execute(
        r"""
        CREATE TEMP MACRO plain_name(text) AS
            nullif(trim(regexp_replace(regexp_replace(upper(strip_accents(text)),
                '[''’`.]', '', 'g'), '[^A-Z]+', ' ', 'g')), '')
        """
    )
    con.execute(
        r"""
        CREATE TEMP MACRO without_title(name) AS
            nullif(regexp_replace(name, '^(MR|MRS|MS|MISS|MX|DR|SIR|REV|PROF)( |$)', ''), '')
        """
    )
    con.execute(
        r"""
        CREATE TEMP MACRO plain_postcode(text) AS
            CASE WHEN regexp_matches(regexp_replace(upper(text), '[^A-Z0-9]', '', 'g'),
                                     '^[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}$')
                 THEN regexp_replace(upper(text), '[^A-Z0-9]', '', 'g') END
        """
    )


def _spell(alias: str) -> str:
    """Return the two columns that say at which cut-offs a spell is live.

    `valid_from` is a spell's first day and `valid_to` its last. An end without a day of its own on
    which it became known is taken as known with the row that starts the next day, so that a change
    on the first of a month leaves no gap at that cut-off.
    """
    return f"""
        greatest({alias}.known_on, {alias}.valid_from - 1) AS start_after,
        least(coalesce(CASE WHEN {alias}.valid_to_known_on = {alias}.valid_to
                            THEN {alias}.valid_to + 1
                            ELSE greatest({alias}.valid_to, {alias}.valid_to_known_on) END,
                       {FOREVER}),
              coalesce({alias}.superseded_on, {FOREVER})) AS live_until
    """


_UNIT_SPELLS = f"""
    CREATE TEMP TABLE unit_spells AS
    SELECT 'account' AS kind, account_ref AS ref, uprn,
           discount IN ('second_home', 'empty_premium') AS away,
           valid_from, {_spell("a")}
    FROM council_tax_accounts a
    UNION ALL
    SELECT 'tenancy', tenancy_ref, uprn, false, valid_from, {_spell("t")}
    FROM tenancies t
"""

_ROSTER_SPELLS = f"""
    CREATE TEMP TABLE roster_spells AS
    SELECT 'council_tax' AS source, person_ref, 'account' AS kind, account_ref AS ref,
           role, date_of_birth, plain_name(split_part(surname, ',', 1)) AS surname, valid_from,
           {_spell("p")}
    FROM council_tax_people p
    UNION ALL
    SELECT 'tenancy', person_ref, 'tenancy', tenancy_ref, relationship, date_of_birth,
           plain_name(split_part(surname, ',', 1)), valid_from, {_spell("p")}
    FROM tenancy_people p
"""

# One row a (person, way of being written, home). Rows that differ only in when they became known
# fall together on the earliest day; rows that a correction ended stay apart, so that nothing is
# usable in a gap in which it was not known.
_RAW_APPEARANCES = f"""
    CREATE TEMP TABLE raw_appearances AS
    WITH home_postcode AS (
        SELECT uprn, min(plain_postcode(postcode)) AS postcode FROM properties GROUP BY uprn
    ), homes AS (
        SELECT 'council_tax' AS source, account_ref AS ref, uprn, superseded_on,
               min(known_on) AS known_on
        FROM council_tax_accounts GROUP BY ALL
        UNION ALL
        SELECT 'tenancy', tenancy_ref, uprn, superseded_on, min(known_on)
        FROM tenancies GROUP BY ALL
    ), people AS (
        SELECT 'council_tax' AS source, person_ref, account_ref AS ref, forename, surname,
               date_of_birth, known_on, superseded_on
        FROM council_tax_people
        UNION ALL
        SELECT 'tenancy', person_ref, tenancy_ref, forename, surname,
               date_of_birth, known_on, superseded_on
        FROM tenancy_people
    ), stated AS (
        SELECT p.source, p.person_ref, p.forename, p.surname, p.date_of_birth, h.uprn,
               NULL::VARCHAR AS stated_postcode, greatest(p.known_on, h.known_on) AS known_after,
               least(p.superseded_on, h.superseded_on) AS known_until
        FROM people p JOIN homes h USING (source, ref)
        UNION ALL
        SELECT 'homelessness', case_ref, forename, surname, date_of_birth, last_settled_uprn,
               plain_postcode(last_settled_postcode), known_on, superseded_on
        FROM homelessness_cases
    ), placed AS (
        SELECT s.* EXCLUDE (stated_postcode), coalesce(p.postcode, stated_postcode) AS postcode
        FROM stated s LEFT JOIN home_postcode p USING (uprn)
    )
    SELECT source, person_ref, forename, surname, date_of_birth, uprn, postcode,
           min(known_after) AS known_after, coalesce(known_until, {FOREVER}) AS known_until
    FROM placed
    GROUP BY ALL
    HAVING min(known_after) < coalesce(known_until, {FOREVER})
"""

# `COOKE,MS NADY` in one field is a surname, a title and a forename; `.` is no name at all.
_NORMALISED = f"""
    CREATE TEMP TABLE normalised AS
    WITH split AS (
        SELECT *,
               CASE WHEN plain_name(forename) IS NULL AND contains(surname, ',')
                    THEN split_part(surname, ',', 2) ELSE forename END AS given,
               CASE WHEN contains(surname, ',')
                    THEN split_part(surname, ',', 1) ELSE surname END AS family
        FROM raw_appearances
    ), cleaned AS (
        SELECT *, without_title(plain_name(given)) AS given_names,
               replace(plain_name(family), ' ', '') AS surname_plain
        FROM split
    )
    SELECT source, person_ref, uprn, postcode, known_after, known_until,
           split_part(given_names, ' ', 1) AS forename_plain,
           surname_plain,
           CASE WHEN date_of_birth IN {PLACEHOLDER_BIRTHS} OR date_of_birth > known_after
                THEN NULL ELSE date_of_birth END AS born
    FROM cleaned
"""

_APPEARANCES = """
    CREATE TEMP TABLE appearances AS
    WITH written AS (
        SELECT source, person_ref,
               coalesce(k.root, forename_plain) AS forename, surname_plain AS surname,
               born, uprn, postcode, known_after, known_until
        FROM normalised n
        LEFT JOIN nickname k ON k.short = n.forename_plain
    ), distinct_ways AS (
        SELECT source, person_ref, forename, surname, born, uprn, postcode,
               min(known_after) AS known_after, known_until
        FROM written
        GROUP BY ALL
    )
    SELECT row_number() OVER (
               ORDER BY d.source, person_ref, d.forename, d.surname, born, uprn, postcode,
                        known_after, known_until
           ) AS unique_id,
           d.source || '/' || person_ref AS record,
           d.source AS system, person_ref, d.forename, d.surname,
           left(d.forename, 1) AS initial,
           strftime(born, '%Y-%m-%d') AS born,
           strftime(born, '%Y-') || least(strftime(born, '%m'), strftime(born, '%d'))
               || '-' || greatest(strftime(born, '%m'), strftime(born, '%d')) AS birth_key,
           uprn, postcode, known_after, known_until,
           coalesce(f.share, {forename}) AS tf_forename,
           coalesce(s.share, {surname}) AS tf_surname
    FROM distinct_ways d
    LEFT JOIN frequency f ON f.part = 'forename' AND f.name = d.forename
    LEFT JOIN frequency s ON s.part = 'surname' AND s.name = d.surname
    WHERE d.surname IS NOT NULL AND d.known_until > d.known_after
"""
