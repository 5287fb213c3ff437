"""The Splink model of a person: what is compared, at which levels, and which pairs are compared."""

from __future__ import annotations

from typing import Any

from earlyflag.linkage.parameters import Parameters

# The lowest level of these two comparisons is a veto, not evidence: at one address a husband and
# wife, or twins, agree on everything but the forename, and a father and son of one name on
# everything but the date of birth. Its `m` is fixed far below what errors would give.
VETO = {"forename": "different", "born": "different"}

_BLOCKS = (
    ("one home, one initial", "l.uprn = r.uprn AND l.initial = r.initial"),
    ("one home, one birth", "l.uprn = r.uprn AND l.birth_key = r.birth_key"),
    ("one home, one surname", "l.uprn = r.uprn AND l.surname = r.surname"),
    ("one birth and surname", "l.birth_key = r.birth_key AND l.surname = r.surname"),
    ("one birth and forename", "l.birth_key = r.birth_key AND l.forename = r.forename"),
    ("one birth and postcode", "l.birth_key = r.birth_key AND l.postcode = r.postcode"),
    (
        "one postcode and name",
        "l.postcode = r.postcode AND l.surname = r.surname AND l.initial = r.initial",
    ),
    (
        "one full name and year of birth",
        "l.surname = r.surname AND l.forename = r.forename AND left(l.born, 4) = left(r.born, 4)",
    ),
)

# A source's own reference already says that two of its rows are one person, and two cases are
# never compared: a case attaches to people, it does not make them.
_NOT_KNOWN_YET = (
    "l.record <> r.record AND NOT (l.system = 'homelessness' AND r.system = 'homelessness')"
)


def blocking_rules() -> list[Any]:
    """Return the rules that choose the pairs to compare; a pair needs to satisfy one."""
    from splink.internals.blocking_rule_library import CustomRule

    return [CustomRule(f"{rule} AND {_NOT_KNOWN_YET}", sql_dialect="duckdb") for _, rule in _BLOCKS]


def comparisons(parameters: Parameters | None) -> list[Any]:
    """Return the comparisons, with trained probabilities where parameters are given."""
    import splink.comparison_level_library as cll
    import splink.comparison_library as cl

    levels = {
        "forename": [
            cll.NullLevel("forename"),
            ("exact", cll.ExactMatchLevel("forename", term_frequency_adjustments=True)),
            ("similar", cll.JaroWinklerLevel("forename", 0.88)),
            ("initial", cll.CustomLevel(
                "initial_l = initial_r AND (length(forename_l) = 1 OR length(forename_r) = 1)")),
            ("different", cll.ElseLevel()),
        ],
        "surname": [
            cll.NullLevel("surname"),
            ("exact", cll.ExactMatchLevel("surname", term_frequency_adjustments=True)),
            ("similar", cll.JaroWinklerLevel("surname", 0.88)),
            ("part shared", cll.CustomLevel(
                "length(surname_l) > 3 AND length(surname_r) > 3 AND (surname_l LIKE "
                "concat('%', surname_r, '%') OR surname_r LIKE concat('%', surname_l, '%'))")),
            ("different", cll.ElseLevel()),
        ],
        "born": [
            cll.NullLevel("born"),
            ("exact", cll.ExactMatchLevel("born")),
            ("day and month swapped", cll.ExactMatchLevel("birth_key")),
            ("one digit", cll.LevenshteinLevel("born", 1)),
            ("two of three parts", cll.CustomLevel(_TWO_OF_THREE)),
            ("different", cll.ElseLevel()),
        ],
        "home": [
            cll.CustomLevel("(uprn_l IS NULL OR uprn_r IS NULL) AND (postcode_l IS NULL OR "
                            "postcode_r IS NULL)", label_for_charts="home not known"
                            ).configure(is_null_level=True),
            ("one home", cll.CustomLevel("uprn_l = uprn_r")),
            ("one postcode", cll.CustomLevel("postcode_l = postcode_r")),
            ("different", cll.ElseLevel()),
        ],
    }  # fmt: skip
    return [
        cl.CustomComparison(
            output_column_name=name,
            comparison_levels=[_configured(name, level, parameters) for level in named],
        )
        for name, named in levels.items()
    ]


_TWO_OF_THREE = (
    "(CASE WHEN substr(born_l, 1, 4) = substr(born_r, 1, 4) THEN 1 ELSE 0 END"
    " + CASE WHEN substr(born_l, 6, 2) = substr(born_r, 6, 2) THEN 1 ELSE 0 END"
    " + CASE WHEN substr(born_l, 9, 2) = substr(born_r, 9, 2) THEN 1 ELSE 0 END) = 2"
)


def _configured(comparison: str, level: Any, parameters: Parameters | None) -> Any:
    if not isinstance(level, tuple):
        return level
    name, creator = level
    creator = creator.configure(label_for_charts=f"{comparison}: {name}")
    if parameters is None:
        return creator
    trained = parameters.levels[comparison][name]
    return creator.configure(m_probability=trained["m"], u_probability=trained["u"])


def settings(parameters: Parameters | None) -> Any:
    """Return the Splink settings of the model, trained if parameters are given."""
    from splink import SettingsCreator

    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="unique_id",
        probability_two_random_records_match=parameters.prior if parameters else 1e-5,
        comparisons=comparisons(parameters),
        blocking_rules_to_generate_predictions=blocking_rules(),
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=False,
    )
