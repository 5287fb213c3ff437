"""The published figures that the borough is meant to resemble, beside those it has."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import duckdb

from earlyflag.core.errors import StepMissing

#: What each topic counts, as a query that gives (figure, generated).
QUERIES = {
    "tenure": """
        WITH homes AS (
            SELECT uprn, any_value(tenure) AS tenure FROM read_parquet($truth_homes) GROUP BY uprn)
        SELECT tenure, count(*) / sum(count(*)) OVER () FROM homes GROUP BY tenure""",
    "duties per 1000 households a year": """
        WITH lived AS (
            SELECT count(*) / 12.0 AS years FROM read_parquet($oracle))
        SELECT duty, count(*) * 1000 / any_value(years)
        FROM cases, lived WHERE duty <> 'none' GROUP BY duty""",
    "assessments": """
        SELECT 'no duty owed', avg((duty = 'none')::INTEGER) FROM cases""",
    "reason": """
        SELECT CASE WHEN reason IN ('other', 'not_known', 'home_unsuitable')
                    THEN 'other or not known' ELSE reason END AS figure,
               count(*) / sum(count(*)) OVER ()
        FROM cases WHERE duty <> 'none' GROUP BY figure""",
    "accommodation": """
        SELECT CASE WHEN accommodation IN ('other', 'not_known') THEN 'other or not known'
                    WHEN accommodation IN ('council', 'registered_provider')
                    THEN 'council or registered_provider' ELSE accommodation END AS figure,
               count(*) / sum(count(*)) OVER ()
        FROM cases WHERE duty <> 'none' GROUP BY figure""",
    "household type": """
        SELECT household_type, count(*) / sum(count(*)) OVER ()
        FROM cases WHERE duty <> 'none' GROUP BY household_type""",
    "age of applicant": """
        WITH aged AS (
            SELECT date_diff('day', date_of_birth, duty_on) / 365.25 AS age
            FROM cases WHERE duty <> 'none' AND date_of_birth IS NOT NULL)
        SELECT CASE WHEN age < 18 THEN '16-17' WHEN age < 25 THEN '18-24'
                    WHEN age < 35 THEN '25-34' WHEN age < 45 THEN '35-44'
                    WHEN age < 55 THEN '45-54' WHEN age < 65 THEN '55-64'
                    WHEN age < 75 THEN '65-74' ELSE '75+' END AS figure,
               count(*) / sum(count(*)) OVER ()
        FROM aged GROUP BY figure""",
}


@dataclass(frozen=True, slots=True)
class CheckedFigure:
    """One published figure beside the borough's own; shares are 0 to 1."""

    topic: str
    figure: str
    published: float
    generated: float
    source: str


def check(folder: Path) -> list[CheckedFigure]:
    """Return each published figure beside the one of a written borough.

    Parameters
    ----------
    folder : what `write_borough` wrote; the cases may be Parquet or CSV

    Raises
    ------
    StepMissing
        The folder holds no borough with its truth.
    """
    truth = folder / "truth"
    cases = next(iter(sorted(folder.glob("homelessness_cases.*"))), None)
    if cases is None or not (truth / "oracle.parquet").exists():
        raise StepMissing(
            f"{folder} holds no synthetic borough with its truth. Write one first: "
            "earlyflag synth OUT."
        )
    with duckdb.connect() as connection:
        connection.execute("SET threads TO 2")
        reader = "read_parquet" if cases.suffix == ".parquet" else "read_csv"
        connection.execute("SET VARIABLE file = ?", [str(cases)])
        connection.execute(f"CREATE VIEW cases AS SELECT * FROM {reader}(getvariable('file'))")
        generated = {
            (topic, str(figure)): float(value)
            for topic, query in QUERIES.items()
            for figure, value in connection.execute(query, _named(query, truth)).fetchall()
        }
    return [
        CheckedFigure(
            row["topic"], row["figure"], float(row["published"]),
            generated.get((row["topic"], row["figure"]), 0.0), row["source"],
        )
        for row in published_figures()
    ]  # fmt: skip


def published_figures() -> list[dict[str, str]]:
    """Return the published figures: topic, figure, published, source."""
    text = files("earlyflag.synthetic").joinpath("published.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _named(query: str, truth: Path) -> dict[str, str]:
    """Return the values that a query names."""
    values = {"truth_homes": truth / "homes.parquet", "oracle": truth / "oracle.parquet"}
    return {name: str(path) for name, path in values.items() if f"${name}" in query}
