"""Compare appearances with Splink, on DuckDB or on Spark, and keep the pairs that matter."""

from __future__ import annotations

from typing import Any, Literal

import duckdb

from earlyflag.linkage import model
from earlyflag.linkage.parameters import Parameters

Backend = Literal["duckdb", "spark"]

_COMPARED = "unique_id, record, system, forename, initial, surname, born, birth_key, uprn, postcode"


def score_pairs(
    con: duckdb.DuckDBPyConnection,
    parameters: Parameters,
    *,
    backend: Backend = "duckdb",
    spark: Any = None,
) -> None:
    """Create `pairs` from `appearances`: each compared pair with its match weight.

    A pair is usable at the cut-offs at which both of its appearances are. `against` marks a pair
    whose forenames or dates of birth plainly differ; `kept` one that is strong enough to link and
    agrees on more than a family does.

    Parameters
    ----------
    con : holds `appearances`
    backend : "duckdb", or "spark" with `spark` a session that has Splink's functions
    """
    linker = _linker(con, parameters, backend, spark)
    predicted = linker.inference.predict(threshold_match_weight=-1000.0, warning_mode="never")
    if backend == "duckdb":
        con.execute(f"CREATE TEMP VIEW predicted AS SELECT * FROM {predicted.physical_name}")
    else:
        con.register("predicted", predicted.as_spark_dataframe().toArrow())
    con.execute(_PAIRS, [parameters.link_weight, parameters.case_weight])


def _linker(
    con: duckdb.DuckDBPyConnection, parameters: Parameters, backend: Backend, spark: Any
) -> Any:
    import splink

    def handed(sql: str) -> Any:
        """Hand a query's rows to the backend: as they are to DuckDB, by Arrow to Spark."""
        rows = con.sql(sql)
        return api.register(
            rows if backend == "duckdb" else spark.createDataFrame(rows.to_arrow_table())
        )

    api: Any = (
        splink.DuckDBAPI(connection=con)
        if backend == "duckdb"
        else splink.SparkAPI(spark_session=spark)
    )
    linker = splink.Linker(
        handed(f"SELECT {_COMPARED} FROM appearances"), model.settings(parameters), log_level=None
    )
    # Shares of names come with the parameters. Left to itself Splink would count them in the
    # tables at hand, and a record that arrives later would change the weight of an earlier pair.
    for part in ("forename", "surname"):
        shares = handed(
            f"SELECT DISTINCT {part}, tf_{part} FROM appearances WHERE {part} IS NOT NULL"
        )
        linker.table_management.register_term_frequency_lookup(shares, part)
    return linker


# Without agreement on a forename or a date of birth a pair is a family, not a person; without
# agreement on a date of birth or a home it is a name that two people share. The level numbers are
# Splink's: 0 is the lowest level (the veto), -1 is "not known".
_PAIRS = """
    CREATE TEMP TABLE pairs AS
    SELECT least(a.record, b.record) AS one, greatest(a.record, b.record) AS other,
           'homelessness' IN (a.system, b.system) AS is_case,
           round(match_weight, 4) AS weight,
           greatest(a.known_after, b.known_after) AS known_after,
           least(a.known_until, b.known_until) AS known_until,
           gamma_forename, gamma_surname, gamma_born, gamma_home,
           gamma_forename = 0 OR gamma_born = 0 AS against,
           NOT against AND (gamma_forename > 0 OR gamma_born = 4)
               AND (gamma_born > 0 OR gamma_home > 0)
               AND match_weight >= CASE WHEN is_case THEN $2 ELSE $1 END AS kept
    FROM predicted p
    JOIN appearances a ON a.unique_id = p.unique_id_l
    JOIN appearances b ON b.unique_id = p.unique_id_r
    WHERE greatest(a.known_after, b.known_after) < least(a.known_until, b.known_until)
"""
