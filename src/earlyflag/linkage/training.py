"""Estimate the parameters of person linkage where the truth is known: on a synthetic borough.

Run as `python -m earlyflag.linkage.training EXTRACTS TRUTH PARAMETERS` to write the parameters
that ship with the package. A council has no truth to train on and needs none: a pair's weight must
not depend on the records that happen to be there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import duckdb

from earlyflag.core.home import write_json_atomically
from earlyflag.linkage import model, parameters, records

# Chances of agreeing by accident on a home fall with the number of homes. They are stated for a
# borough of this size, whatever the size of the one trained on.
REFERENCE_HOMES = 100_000
NAMES_KEPT = 600
RARER_THAN_KEPT = 0.5
FIXED_VETO = 1e-9
SAMPLED_PAIRS = 2e7
SEED = 20


def train(
    tables: records.SourceTables, truth: Path, before: parameters.Parameters
) -> dict[str, Any]:
    """Return the content of a parameters file, estimated with Splink from known people.

    Parameters
    ----------
    tables : the borough's tables
    truth : folder with `people.parquet`: source, person_ref, true_person_id
    before : parameters whose thresholds and short forms are kept
    """
    con = duckdb.connect(config={"threads": 2})
    try:
        records.prepare(con, tables, before)
        _label(con, truth)
        shares = _name_shares(con)
        levels = _estimate(con, before)
    finally:
        con.close()
    for comparison, veto in model.VETO.items():
        levels[comparison][veto]["m"] = FIXED_VETO
    return {
        "about": (
            "Person linkage: m is the chance of a level between two records of one person, u "
            "between records of two. Estimated by linkage/training.py on a synthetic borough; the "
            "lowest levels of forename and born are vetoes, fixed by hand. Shares are of people."
        ),
        "reference_homes": REFERENCE_HOMES,
        "prior": 1 / REFERENCE_HOMES,
        "thresholds": {
            "link_weight": before.link_weight,
            "case_weight": before.case_weight,
            "rival_weight": before.rival_weight,
        },
        "comparisons": levels,
        "rare_name_frequency": {part: share.pop("") for part, share in shares.items()},
        "name_frequencies": shares,
        "nicknames": before.nicknames,
    }


def _label(con: duckdb.DuckDBPyConnection, truth: Path) -> None:
    """Keep one appearance of each record, and name its person."""
    con.execute(
        """
        CREATE TEMP TABLE labelled AS
        SELECT a.*, t.true_person_id
        FROM (SELECT DISTINCT ON (record) * FROM appearances ORDER BY record, unique_id) a
        LEFT JOIN homelessness_cases c ON a.system = 'homelessness' AND c.case_ref = a.person_ref
        JOIN read_parquet($1) t
          ON t.source = a.system AND t.person_ref = coalesce(c.person_ref, a.person_ref)
        ORDER BY a.unique_id
        """,
        [str(truth / "people.parquet")],
    )


def _name_shares(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, float]]:
    """Return the share of people with each common name; the key "" is any other's mean share."""
    shares = {}
    for part in ("forename", "surname"):
        rows = con.execute(
            f"""
            SELECT {part}, count(DISTINCT true_person_id) AS people FROM labelled
            WHERE {part} IS NOT NULL AND length({part}) > 1 GROUP BY 1 ORDER BY 2 DESC, 1
            """
        ).fetchall()
        total = sum(people for _, people in rows)
        kept = {name: round(people / total, 6) for name, people in rows[:NAMES_KEPT] if people > 2}
        kept[""] = round(min(kept.values()) * RARER_THAN_KEPT, 6)
        shares[part] = kept
    return shares


def _estimate(
    con: duckdb.DuckDBPyConnection, before: parameters.Parameters
) -> dict[str, dict[str, dict[str, float]]]:
    import splink

    api = splink.DuckDBAPI(connection=con)
    linker = splink.Linker(
        api.register(con.sql("SELECT * FROM labelled")), model.settings(None), log_level=None
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=SEED)
    linker.training.estimate_m_from_label_column("true_person_id")
    homes = con.execute("SELECT count(DISTINCT uprn) FROM unit_spells").fetchall()[0][0]
    levels: dict[str, dict[str, dict[str, float]]] = {}
    for comparison in linker.misc.save_model_to_json()["comparisons"]:
        for level in comparison["comparison_levels"]:
            if level.get("is_null_level"):
                continue
            name, _, label = level["label_for_charts"].partition(": ")
            # A level that no pair reached keeps what it had.
            found = dict(before.levels[name][label])
            for key in ("m", "u"):
                if f"{key}_probability" in level:
                    found[key] = float(f"{level[f'{key}_probability']:.4g}")
            if name == "home" and label != "different":
                found["u"] = float(f"{found['u'] * homes / REFERENCE_HOMES:.4g}")
            levels.setdefault(name, {})[label] = found
    return levels


def main(extracts: Path, truth: Path, output: Path) -> None:
    """Train on a borough's extracts and write the parameters file."""
    from earlyflag.sources import load

    content = train(load(extracts), truth, parameters.packaged())
    write_json_atomically(output, content)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
