"""Read models for the pages: capacity, the model's card and catalogue, what changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from earlyflag import casework, features
from earlyflag.core.errors import EarlyflagError
from earlyflag.core.home import Home
from earlyflag.modelling import artefact, registry
from earlyflag.store.terms import DocumentKind

Figures = Mapping[str, Any]

GROUPED_BY = ("tenure", "household_type")
NOT_PRINTED = "too few to print"


def publish_documents(desk: casework.Desk, home: Home, model_name: str) -> None:
    """Publish what the pages show of the champion of a model."""
    version = registry.resolve(home, model_name, registry.CHAMPION)
    results = registry.results(home, model_name, version)
    files = artefact.verify(home.registry / model_name / version)
    card = {
        "markdown": files.get("card.md", b"").decode(),
        "version": version,
        "highest_checked": highest_checked(results),
    }
    casework.put_document(desk, DocumentKind.CAPACITY, model_name, capacity(results))
    casework.put_document(desk, DocumentKind.MODEL_CARD, model_name, card)
    casework.put_document(desk, DocumentKind.CATALOGUE, model_name, catalogue(results))


def highest_checked(results: Figures) -> dict[str, Any]:
    """Return the highest group of scores that was held against what came of them.

    Parameters
    ----------
    results : what training found, as registered

    Returns
    -------
    the group's mean chance (`expected`), the share that was owed a duty (`observed`) and its
    interval (`low`, `high`); empty where there is none or it is too small to print
    """
    groups = [
        each for each in results.get("reliability", []) if each["observed"]["value"] is not None
    ]
    if not groups:
        return {}
    top = max(groups, key=lambda each: each["expected"])
    found = top["observed"]
    return {
        "expected": top["expected"],
        "observed": found["value"],
        "low": found["low"],
        "high": found["high"],
    }


def capacity(results: Figures) -> dict[str, Any]:
    """Return what each length of the list finds and misses, on the test cut-offs.

    Parameters
    ----------
    results : what training found, as registered
    """
    tests = results["windows"]["test"]
    return {
        "lead": [
            f"Measured on {len(tests)} cut-offs from {tests[0]} to {tests[-1]}, whose year had "
            "passed, with a model that had seen none of it. Intervals are 95%.",
            f"Without any list, {_per_100(results['performance']['base_rate'])} in 100 households "
            "are owed a duty within the horizon.",
        ],
        "sections": [_found(results), *by_group(results)],
    }


def capacity_rows(results: Figures) -> Iterator[tuple[str, ...]]:
    """Yield a line a capacity: duties expected, the best rule's, the share found and missed."""
    best = results.get("best_rule")
    rule = results["rules"].get(best["name"], {}) if best else {}
    for size in results["specification"]["capacities"]:
        own = results["performance"]
        yield (
            f"{size:,}",
            _scaled(own[f"precision_at_{size}"], size),
            _scaled(rule.get(f"precision_at_{size}"), size),
            _percent(own[f"recall_at_{size}"]),
            _percent(own[f"recall_all_at_{size}"]),
            _missed(own[f"recall_all_at_{size}"]),
        )


CAPACITY_HEADINGS = (
    "Households a month",
    "Owed a duty among them",
    "With the best simple rule",
    "Share found of duties in the records",
    "Share found of all duties",
    "Missed of all duties",
)


def catalogue(results: Figures) -> dict[str, Any]:
    """Return every feature that the model reads, with its words and lawful gateway."""
    read = results["importance"]
    declared = [features.CATALOGUE[name] for name in read if name in features.CATALOGUE]
    return {
        "features": [
            {
                "name": one.name,
                "title": one.title,
                "sentence": one.sentence,
                "unit": one.unit,
                "sources": list(one.sources),
                "sensitivity": one.sensitivity,
                "gateway": one.gateway,
                "actionable": one.actionable,
            }
            for one in declared
        ]
    }


def champion_results(home: Home, model_name: str) -> dict[str, Any]:
    """Return what training found of the champion, or of the newest version while there is none."""
    try:
        return registry.results(home, model_name, registry.CHAMPION)
    except EarlyflagError:
        return registry.results(home, model_name, "latest")


def _found(results: Figures) -> dict[str, Any]:
    rows = [list(row) for row in capacity_rows(results)]
    best = results.get("best_rule")
    words = [f"The best simple rule here is: {best['title'].lower()}."] if best else []
    return {
        "heading": "What each capacity finds and misses",
        "text": words,
        "table": {
            "caption": "By households contacted a month",
            "headings": list(CAPACITY_HEADINGS),
            "rows": rows,
            "numeric": [1, 2, 3, 4, 5],
        },
    }


def by_group(results: Figures) -> Iterator[dict[str, Any]]:
    """Yield a section a characteristic; groups too small to print are named without a figure."""
    for name in GROUPED_BY:
        content = results["fairness"].get(name)
        if not content:
            continue
        title = name.replace("_", " ")
        yield {
            "heading": f"By {title}",
            "text": [f"With {results['capacity']} households a month."],
            "table": {
                "caption": f"Who is listed and who is found, by {title}",
                "headings": [title.capitalize(), "Owed a duty", "Listed", "Share found"],
                "rows": [_group_row(group) for group in content["groups"]],
                "numeric": [1, 2, 3],
            },
        }


def _group_row(group: Figures) -> list[str]:
    name = str(group["group"]).replace("_", " ")
    name = name[:1].upper() + name[1:]
    if group.get("suppressed"):
        return [name, NOT_PRINTED, NOT_PRINTED, NOT_PRINTED]
    return [name, _percent(group["need"]), _percent(group["selected"]), _percent(group["recall"])]


def _scaled(figure: Figures | None, size: int) -> str:
    if not figure or figure["value"] is None:
        return "not known"
    value, low, high = (size * (figure[part] or 0.0) for part in ("value", "low", "high"))
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


def _percent(figure: Figures | None) -> str:
    if not figure or figure["value"] is None:
        return NOT_PRINTED
    if figure["low"] is None:
        return f"{100 * figure['value']:.1f}%"
    return f"{100 * figure['value']:.1f}% ({100 * figure['low']:.1f} to {100 * figure['high']:.1f})"


def _missed(figure: Figures) -> str:
    value = figure["value"]
    return "not known" if value is None else f"{100 * (1 - value):.0f} in 100"


def _per_100(figure: Figures) -> str:
    return f"{100 * figure['value']:.2f}"
