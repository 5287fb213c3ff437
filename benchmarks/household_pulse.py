"""From the Household Pulse Survey to a feature table: new arrears, from one wave to the next.

Race, sex and age stay in the table for the fairness audit; health and marital columns do not
enter it at all, nor do answers that tell of health, disability, care for the ill or retirement:
as reasons for not working they are among the other reasons, as reasons for a lack of food they are
left out. Answers not given (-99) or not asked (-88) are not known.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

FILE = Path("household_pulse_2020") / "pairs_weeks_1_7.parquet"
WEEK_ONE = pd.Timestamp("2020-04-27")
"""A day inside the survey's first week of interviews; weeks are counted from it."""

ORDERED = {
    "INCOME": "income_band",
    "MORTCONF": "housing_payment_doubt",
    "PREV_MORTCONF": "housing_payment_doubt_before",
    "CURFOODSUF": "food_shortage",
    "PRIFOODSUF": "food_shortage_before",
    "FOODCONF": "food_confidence",
    "EEDUC": "schooling",
    "THHLD_NUMPER": "people",
    "THHLD_NUMKID": "children",
    "THHLD_NUMADLT": "adults",
    "TSPNDFOOD": "food_spending",
    "TSPNDPRPD": "meals_out_spending",
    "COMPAVAIL": "computer_scarcity",
    "INTRNTAVAIL": "internet_scarcity",
    "TSCHLHRS": "teaching_hours",
    "TTCH_HRS": "own_teaching_hours",
}
YES_NO = {
    "WRKLOSS": "work_lost",
    "EXPCTLOSS": "work_loss_expected",
    "ANYWORK": "in_work",
    "FREEFOOD": "free_food",
    "PREV_WRKLOSS": "work_lost_before",
}
TICKED = {f"FOODSUFRSN{number}": f"food_reason_{number}" for number in (1, 4, 5)}
"""Without 2 (could not get out, also for reasons of health) and 3 (afraid to go out)."""

WORKLESS, ANOTHER_REASON = "RSNNOWRK", 12
PERSONAL = (2, 3, 5, 6, 7)
"""Ill, caring for the ill or the elderly, disabled, retired: told apart from nothing else."""

KINDS = {
    "TENURE": ("tenure", (2, 3)),
    "KINDWORK": ("kind_of_work", (1, 2, 3, 4, 5)),
    WORKLESS: ("not_working_because", (1, 4, 8, 9, 10, 11, ANOTHER_REASON)),
    "UNEMPPAY": ("pay_while_not_working", (1, 2, 3, 4)),
    "PREV_MORTLMTH": ("paid_before", (1, 2, 3)),
}


def feature_table(data: Path) -> pd.DataFrame:
    """Return the table as `earlyflag train --table` reads it: at-risk households by wave."""
    raw = pd.read_parquet(data / FILE)
    raw = raw[(raw["MORTLMTH"] == 1) & raw["NEXT_MORTLMTH"].isin([1, 2, 3])]
    known = raw.mask(raw.isin([-88, -99]))
    known[WORKLESS] = known[WORKLESS].replace(dict.fromkeys(PERSONAL, ANOTHER_REASON))
    columns: dict[str, object] = {
        "household_id": raw["SCRAM"].astype(str),
        "as_of": WEEK_ONE + pd.to_timedelta(7 * (raw["WEEK"] - 1), unit="D"),
        "label": (raw["NEXT_MORTLMTH"] == 2).astype("int8"),
        "label_known_on": WEEK_ONE + pd.to_timedelta(7 * (raw["NEXT_WEEK"] - 1), unit="D"),
    }
    columns |= {name: known[column] for column, name in ORDERED.items()}
    columns |= {name: known[column].map({1: 1.0, 2: 0.0}) for column, name in YES_NO.items()}
    for column, name in TICKED.items():
        asked = raw[column] != -88
        columns[name] = (raw[column] == 1).where(asked).astype("float32")
    for column, (name, codes) in KINDS.items():
        for code in codes:
            columns[f"{name}_{code}"] = (known[column] == code).where(known[column].notna())
    people = known["THHLD_NUMPER"]
    columns["income_per_person"] = known["INCOME"] / np.sqrt(people)
    columns["food_spending_per_person"] = known["TSPNDFOOD"] / people
    columns["race"] = raw["RRACE"].map({1: "white", 2: "black", 3: "asian", 4: "other or mixed"})
    columns["sex"] = raw["EGENDER"].map({1: "male", 2: "female"})
    age = 2020 - raw["TBIRTH_YEAR"]
    labels = ["under 30", "30 to 44", "45 to 64", "65 and over"]
    columns["age_band"] = pd.cut(age, [0, 29, 44, 64, 200], labels=labels).astype(str)
    table = pd.DataFrame(columns)
    numbers = [name for name in table if table[name].dtype == object]
    texts = {"household_id", "race", "sex", "age_band"}
    return table.astype({name: "float32" for name in numbers if name not in texts})
