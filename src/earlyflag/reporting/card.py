"""The model card: what a model is for, what it misses, whom it serves worse, how to contest it.

It is written by every training run from the run's own results, in Markdown and in HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from math import exp
from typing import Any

from earlyflag.core.terms import ModelInfo
from earlyflag.reporting.phrases import (
    count,
    family,
    group,
    horizon,
    number,
    other,
    percent,
    share,
    words,
)

BLIND_SPOTS = (
    "People who live with family or friends are on no account of their own: when they are asked "
    "to leave, the records of the household say little.",
    "Domestic abuse and other violence leave no trace in payments before they happen.",
    "Private tenants appear only where the council learns of them: through benefit, a licence or "
    "an alert from a landlord.",
    "People who leave prison, hospital, care or asylum accommodation have no record to learn from.",
    "Somebody new to the borough has no history here yet.",
)
"""Reasons for homelessness that council tax and rent records see late or not at all."""


def render(info: ModelInfo, results: Mapping[str, Any]) -> dict[str, str]:
    """Return the card's files by name: `card.md` and `card.html`.

    Parameters
    ----------
    info : the version the card belongs to
    results : what training found, as registered; with `promotion` once that was decided
    """
    text = markdown(info, results)
    return {"card.md": text, "card.html": page(info, text)}


def markdown(info: ModelInfo, results: Mapping[str, Any]) -> str:
    """Return the card in Markdown."""
    specification = results["specification"]
    title = specification.get("title") or info.name
    sections = [
        [f"# {title}: model card", "", *_opening(info, results)],
        _section("What it is for", [specification.get("purpose") or "Not said: unfinished."]),
        _section("What it must not be used for", _bullets(_never(specification))),
        _section("Data", _data(info, results)),
        _section("What it catches and what it misses", _performance(results)),
        _section("What the records cannot show", _coverage(results)),
        _section("Beside simple rules and other models", _baselines(results)),
        _section("Whether its probabilities hold", _calibration(results)),
        _section("Where it works better and worse", _groups(results["slices"])),
        _section("Fairness", _fairness(results)),
        _section("Signs of leakage", _bullets(each["sentence"] for each in results["leakage"])),
        _section("What it looks at", _importance(results)),
        _section("Limits", _bullets(_limits(info, results))),
        _section("How to contest", _contest()),
        _section("Promotion", _promotion(results.get("promotion"))),
    ]
    return "\n".join(line for section in sections for line in section).rstrip() + "\n"


def page(info: ModelInfo, text: str) -> str:
    """Return the card as one self-contained HTML page, from its Markdown."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    heading = text.splitlines()[0].removeprefix("# ")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(heading)} ({escape(info.full_version)})</title>\n"
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


STYLE = """
body{font:1.1875rem/1.5 arial,sans-serif;color:#0b0c0c;margin:0}
main{max-width:60rem;margin:0 auto;padding:1.5rem}
h1{font-size:2.25rem;line-height:1.15}h2{font-size:1.5rem;margin-top:2.5rem}
table{border-collapse:collapse;width:100%;font-size:1rem;display:block;overflow-x:auto}
th,td{text-align:left;padding:.4rem .8rem .4rem 0;border-bottom:1px solid #b1b4b6}
td{vertical-align:top}th{vertical-align:bottom}code{font-size:.9em;overflow-wrap:anywhere}
blockquote{border-left:.6rem solid #d4351c;margin:1rem 0;padding:.2rem 1rem;font-weight:bold}
""".strip().replace("\n", "")


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return ["", f"## {title}", "", *lines]


def _bullets(lines: Iterable[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _opening(info: ModelInfo, results: Mapping[str, Any]) -> list[str]:
    lines = [
        f"Version {info.full_version}: {family(info.family)}, for the event "
        f"`{info.label}` within {horizon(info, results)}. {results['model']['choice']['sentence']}"
    ]
    promotion = results.get("promotion") or {}
    if promotion.get("overridden_by"):
        lines += [
            "",
            "> This version was refused by the promotion gate and serves by an override. "
            "See Promotion, below.",
        ]
    return lines


def _never(specification: Mapping[str, Any]) -> list[str]:
    said = list(specification.get("not_for") or [])
    return said or ["Not said: unfinished."]


def _data(info: ModelInfo, results: Mapping[str, Any]) -> list[str]:
    rows, windows = results["rows"], results["windows"]
    specification = results["specification"]
    helped = {
        "keep": "Households that were helped are treated as any other.",
        "leave_out": "Rows of households that were helped within the horizon are left out, of "
        "training and of these figures, so that help is not learnt as safety.",
        "weight": f"Rows of households that were helped within the horizon weigh "
        f"{specification['helped_weight']:g} of the others in training. In these figures they "
        "count like any other.",
        "model": "The effect of having been helped is learnt beside the features and left out of "
        f"the score, which is the chance without help{_effect(results)}. Households that were "
        "helped are not in these figures: what would have happened without help is not known.",
    }
    return [
        f"Trained on {rows['train']:,} rows of {rows['train_households']:,} households at "
        f"{len(windows['train'])} cut-offs, {windows['train'][0]} to {windows['train'][-1]}, with "
        f"{rows['train_events']:,} events. Tested on {rows['test']:,} rows of "
        f"{rows['test_households']:,} households at {len(windows['test'])} later cut-offs, "
        f"{windows['test'][0]} to {windows['test'][-1]}, with {rows['test_events']:,} events. "
        "Every training label was known before the first test cut-off.",
        "",
        helped[specification["helped"]],
        "",
        f"Data `{info.data_hash[:16] or 'not recorded'}`, specification "
        f"`{info.specification_hash[:16]}`, {len(info.features)} features.",
        *(["", *_bullets(results["notes"])] if results["notes"] else []),
    ]


def _effect(results: Mapping[str, Any]) -> str:
    """Say what having been helped did to the odds, as far as that is known."""
    effect = results["model"].get("helped_effect")
    if effect is None:
        return " (no training row was of a household that was helped)"
    return f" (with help, the odds of the event were {exp(effect):.2f} times as high)"


def _performance(results: Mapping[str, Any]) -> list[str]:
    figures = results["performance"]
    capacity = results["capacity"]
    caught = figures[f"recall_all_at_{capacity}"]["value"] or 0.0
    precision = figures[f"precision_at_{capacity}"]["value"] or 0.0
    lines = [
        f"**With {capacity} households contacted at each cut-off it misses "
        f"{percent(1 - caught)} of all duties and catches {percent(caught)}. Of those contacted, "
        f"{percent(1 - precision)} would not have been owed a duty and {percent(precision)} "
        "would.**",
        "",
        "Pooled over the test cut-offs, ties counted against the model, with 95% intervals from "
        "draws of households.",
        "",
        "| Households contacted | Not owed a duty | Owed a duty | Missed, of linkable duties "
        "| Missed, of all duties | Contacts for one duty | Lift |",
        "|---|---|---|---|---|---|---|",
    ]
    for places in results["specification"]["capacities"]:
        lines.append(
            f"| {places} | {other(figures[f'precision_at_{places}'])} "
            f"| {share(figures[f'precision_at_{places}'])} "
            f"| {other(figures[f'recall_at_{places}'])} "
            f"| {other(figures[f'recall_all_at_{places}'])} "
            f"| {number(figures[f'contacts_per_event_at_{places}'], 1)} "
            f"| {number(figures[f'lift_at_{places}'], 1)} |"
        )
    lines += [
        "",
        f"Average precision {number(figures['average_precision'])}, AUC "
        f"{number(figures['auc'])}, share with the event {share(figures['base_rate'])}.",
    ]
    oracle = results.get("oracle")
    if oracle:
        lines += [
            "",
            f"On this synthetic borough the best possible average precision is "
            f"{number(oracle['average_precision'])}; the model reaches "
            f"{share(oracle['share_reached'])} of it.",
        ]
    return lines


def _coverage(results: Mapping[str, Any]) -> list[str]:
    lines = _bullets(BLIND_SPOTS)
    unlinked = sum(results["unlinked"].values())
    if unlinked:
        lines.append(
            f"- {unlinked:,.0f} duties within the test horizons came from nobody who could be "
            "scored; they count as missed above."
        )
    left_out = results.get("events_left_out") or 0
    limit = results["specification"]["audit"]["disclosure_limit"]
    if left_out:
        lines.append(
            f"- {f'{left_out:,}' if left_out >= limit else f'Fewer than {limit}'} times a "
            "household that was owed a duty within a test horizon is in none of the figures "
            "above, neither as caught nor as missed: it was helped meanwhile, or had a duty, "
            "temporary accommodation or an approach already."
        )
    for part, entries in (results.get("cannot_be_scored") or {}).items():
        named = [
            f"{words(each['group'])} {each['cannot_be_scored']} of {each['n']}"
            for each in entries
            if each["cannot_be_scored"]
        ]
        if named:
            lines.append(f"- Cases that no scored home could show, by {words(part)}: "
                         f"{'; '.join(named)}.")  # fmt: skip
    reasons = results["slices"].get("reason_for_loss") or []
    if reasons and all(each["n"] is None for each in reasons):
        lines += ["", "For no reason for losing the home are there enough duties to print a share."]
    elif reasons:
        lines += ["", "Duties caught, by the reason for losing the home:", ""]
        lines += ["| Reason | Duties | Missed | Caught |", "|---|---|---|---|"]
        lines += [
            f"| {group(each['group'])} | {count(each['n'])} | {other(each.get('recall'))} "
            f"| {share(each.get('recall'))} |"
            for each in reasons
        ]
    return lines


def _baselines(results: Mapping[str, Any]) -> list[str]:
    at = f"precision_at_{results['capacity']}"
    lines = [
        f"| Listed by | Average precision | Owed a duty among {results['capacity']} |",
        "|---|---|---|",
        f"| **This model** | {number(results['performance']['average_precision'])} "
        f"| {share(results['performance'][at])} |",
    ]
    for key, figures in results["families"].items():
        if key != results["model"]["family"]:
            lines.append(
                f"| {family(key).capitalize()} | {number(figures['average_precision'])} "
                f"| {share(figures[at])} |"
            )
    lines += [
        f"| {rule['title']} | {number(rule['average_precision'])} | {share(rule[at])} |"
        for rule in results["rules"].values()
    ]
    best = results.get("best_rule")
    if best:
        lines += [
            "",
            f"Against the best simple rule ({best['title']}) its average precision is "
            f"{number(best['ratio'], 2)} times as high.",
        ]
    for version, paired in (results.get("against_champion") or {}).items():
        if paired["difference"] is None:
            lines += ["", paired["sentence"]]
        else:
            lines += [
                "",
                f"Average precision minus that of version {version}, the champion when this one "
                f"was judged: {number(paired['difference'])}. {paired['sentence']}",
            ]
    left_out = [each for each in results["assessment_notes"] if each.startswith("Rule left out")]
    return [*lines, *(["", *_bullets(left_out)] if left_out else [])]


def _calibration(results: Mapping[str, Any]) -> list[str]:
    figures = results["calibration"]
    lines = [
        f"Observed over expected duties: {number(figures['observed_over_expected'], 2)}; among "
        f"the highest 1%: {number(figures['observed_over_expected_top'], 2)}. Calibration slope "
        f"{number(figures['slope'], 2)}, intercept {number(figures['intercept'], 2)}, expected "
        f"calibration error {number(figures['expected_calibration_error'], 4)}.",
        "",
        results["serving"]["sentence"],
        "",
        "| Rows | Expected | Observed |",
        "|---|---|---|",
    ]
    lines += [
        f"| {each['n']:,} | {percent(each['expected'], 2)} | {share(each['observed'], 2)} |"
        for each in results["reliability"]
    ]
    return lines


def _groups(slices: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, entries in slices.items():
        if name == "reason_for_loss":
            continue
        lines += [
            f"### By {words(name)}",
            "",
            "| Group | Rows | With the event | Average precision | AUC | Missed at capacity |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {group(each['group'])} | {count(each['n'])} | {share(each.get('need'))} "
            f"| {number(each.get('average_precision'))} | {number(each.get('auc'))} "
            f"| {other(each.get('recall'))} |"
            for each in entries
        ]
        lines.append("")
    return lines or ["The data named no slices."]


def _fairness(results: Mapping[str, Any]) -> list[str]:
    lines = [
        "Protected characteristics and place are used here alone, never as features. Groups of "
        f"fewer than {results['specification']['audit']['disclosure_limit']} are withheld.",
        "",
    ]
    for name, content in results["fairness"].items():
        lines += [
            f"### By {words(name)}",
            "",
            "| Group | Rows | Need | Listed | Listed for need | Missed | Listed in vain "
            "| Observed over expected |",
            "|---|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {group(each['group'])} | {count(each['n'])} | {share(each.get('need'))} "
            f"| {share(each.get('selected'), 2)} | {number(each.get('selected_over_need'), 2)} "
            f"| {other(each.get('recall'))} | {share(each.get('false_discovery'))} "
            f"| {number(each.get('observed_over_expected'), 2)} |"
            for each in content["groups"]
        ]
        ratio = content["gaps"]["recall_ratio"]
        if ratio is not None:
            lines += ["", f"Lowest over highest recall: {ratio:.2f}."]
        lines.append("")
    absent = [each for each in results["assessment_notes"] if each.startswith("Not audited")]
    return [*lines, *absent] if results["fairness"] or absent else [*lines, "No group was named."]


def _importance(results: Mapping[str, Any]) -> list[str]:
    shares = list(results["importance"].items())[:12]
    return [
        "Share of the mean absolute contribution to the score, the twelve largest:",
        "",
        *[f"- `{name}`: {percent(part)}" for name, part in shares],
    ]


def _limits(info: ModelInfo, results: Mapping[str, Any]) -> list[str]:
    drifted = [name for name, value in results["drift"].items() if value and value > 0.25]
    return [
        "It ranks households by records of the past; it does not know why a household will lose "
        "its home, nor whether help would change that.",
        "A low score is no evidence that a household is safe: most of the risk is in what no "
        "record shows.",
        f"It was trained on cut-offs up to {info.trained_to}; what changed since, it has not "
        "learnt.",
        (
            f"Since training the distribution of {len(drifted)} features has changed markedly "
            f"({', '.join(f'`{name}`' for name in drifted[:5])})."
            if drifted
            else "No feature's distribution has changed markedly since training."
        ),
    ]


def _contest() -> list[str]:
    return [
        "Every flag shows its reasons with the dated records behind them. A person may ask what "
        "the score said and why, have a wrong record corrected and be scored again, object to "
        "being scored, and have a decision looked at by somebody else. The officer's team takes "
        "the request; an objection stops listing at once. No decision is made by the score alone.",
    ]


def _promotion(record: Mapping[str, Any] | None) -> list[str]:
    if not record:
        return ["Not promoted: this version does not serve."]
    lines = [f"Promoted by {record['by']} at {record['promoted_at']}: {record['reason']}"]
    if record.get("overridden_by"):
        lines.append(f"\nThe gate refused it; {record['overridden_by']} overrode the refusal.")
    lines += ["", "| Check | Passed | Found |", "|---|---|---|"]
    lines += [
        f"| {words(each['name'])} | {'yes' if each['passes'] else '**no**'} | {each['sentence']} |"
        for each in record["findings"]
    ]
    return lines
