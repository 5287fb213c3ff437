"""Pictures of a run for its tracked record: PNG files, drawn without a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from earlyflag.modelling.training import Fitted

BLUE, RED, GREY = "#1d70b8", "#d4351c", "#505a5f"
DEPENDENCE_FEATURES = 4


def draw(fitted: Fitted) -> dict[str, bytes]:
    """Return each picture of a run as PNG, by name.

    `capacity` (precision and recall by list length), `reliability`, `rules`, one `fairness_...` a
    characteristic, `contributions` (how each feature moves scores) and one `dependence_...` a
    leading feature. No point stands for a household that could be recognised: contributions are
    drawn over a sample of training rows without their references.
    """
    results = fitted.results
    pictures = {
        "capacity": _picture(lambda axes: _capacity(axes, results)),
        "reliability": _picture(lambda axes: _reliability(axes, results["reliability"])),
        "rules": _picture(lambda axes: _rules(axes, results)),
    }
    for name, content in results["fairness"].items():
        groups = [each for each in content["groups"] if each.get("recall")]
        if groups:
            picture = _picture(lambda axes, n=name, g=groups: _fairness(axes, n, g))
            pictures[f"fairness_{name.replace(' ', '_')}"] = picture
    return pictures | _explained(fitted)


@contextmanager
def _figure(rows: int = 1, columns: int = 1, height: float = 4.5) -> Iterator[tuple[Figure, Any]]:
    """Give a figure of its own, outside pyplot's memory."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, height), layout="constrained")
    FigureCanvasAgg(figure)
    yield figure, figure.subplots(rows, columns, squeeze=False)


def _png(figure: Figure) -> bytes:
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()


def _picture(paint: Callable[[Axes], None]) -> bytes:
    with _figure() as (figure, axes):
        paint(axes[0][0])
        return _png(figure)


def _capacity(axes: Axes, results: Mapping[str, Any]) -> None:
    """Precision and recall at each capacity, with intervals."""
    places = results["specification"]["capacities"]
    for name, colour in (("precision", BLUE), ("recall_all", RED)):
        figures = [results["performance"][f"{name}_at_{each}"] for each in places]
        _with_bars(axes, places, figures, colour, name.replace("_all", " over all duties"))
    axes.set(xlabel="Households contacted at each cut-off", ylabel="Share", ylim=(0, None))
    axes.set_title("Precision and recall by capacity")
    axes.legend()


def _reliability(axes: Axes, points: list[Mapping[str, Any]]) -> None:
    expected = [each["expected"] for each in points]
    _with_bars(axes, expected, [each["observed"] for each in points], BLUE, "observed")
    end = max([*expected, *(each["observed"]["value"] for each in points)])
    axes.plot([0, end], [0, end], color=GREY, linestyle="--", label="perfect")
    axes.set(xlabel="Expected share with the event", ylabel="Observed share")
    axes.set_title("Reliability")
    axes.legend()


def _rules(axes: Axes, results: Mapping[str, Any]) -> None:
    """Average precision of the model, the other family and every rule."""
    named = [("This model", results["performance"]["average_precision"], BLUE)]
    named += [
        (family, figures["average_precision"], GREY)
        for family, figures in results["families"].items()
        if family != results["model"]["family"]
    ]
    named += [
        (rule["title"], rule["average_precision"], GREY) for rule in results["rules"].values()
    ]
    for place, (_, figure, colour) in enumerate(reversed(named)):
        error = [[figure["value"] - figure["low"]], [figure["high"] - figure["value"]]]
        axes.barh(place, figure["value"], xerr=np.maximum(error, 0), color=colour)
    axes.set_yticks(range(len(named)), [name for name, _, _ in reversed(named)])
    axes.set(xlabel="Average precision")
    axes.set_title("Model against rules")


def _fairness(axes: Axes, name: str, groups: list[Mapping[str, Any]]) -> None:
    groups = groups[:14]
    for place, group in enumerate(reversed(groups)):
        recall = group["recall"]
        error = [[recall["value"] - recall["low"]], [recall["high"] - recall["value"]]]
        axes.errorbar(recall["value"], place, xerr=np.maximum(error, 0), fmt="o", color=BLUE)
    axes.set_yticks(range(len(groups)), [f"{g['group']} (n={g['n']:,})" for g in reversed(groups)])
    axes.set(xlabel="Recall at capacity", xlim=(0, 1))
    axes.set_title(f"Recall by {name.replace('_', ' ')}")


def _explained(fitted: Fitted) -> dict[str, bytes]:
    """Draw what moves the scores of the sampled rows, and how the leading features do."""
    from earlyflag.modelling import explain
    from earlyflag.modelling.boosting import Boosted

    rows, names = fitted.background, fitted.features
    if isinstance(fitted.model, Boosted):
        values = np.asarray(fitted.model.booster.predict(rows, pred_contrib=True))[:, :-1]
    else:
        values = fitted.model.contributions(rows)
    values = np.asarray(fitted.calibration.slope * values)
    pictures = {"contributions": explain.beeswarm(values, rows, names)}
    for column in np.argsort(-np.abs(values).mean(axis=0))[:DEPENDENCE_FEATURES]:
        name = names[column]
        pictures[f"dependence_{name}"] = explain.dependence(values, rows, names, name)
    return pictures


def _with_bars(
    axes: Axes, at: list[float], figures: list[Mapping[str, Any]], colour: str, label: str
) -> None:
    value = np.array([each["value"] for each in figures], dtype=float)
    low = np.array([each["low"] for each in figures], dtype=float)
    high = np.array([each["high"] for each in figures], dtype=float)
    error = np.maximum(np.stack([value - low, high - value]), 0)
    axes.errorbar(at, value, yerr=error, fmt="o-", color=colour, label=label, capsize=3)
