"""Which cut-offs train and which test, found from where the data begin and end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from earlyflag.core.clock import add_months
from earlyflag.core.errors import HorizonUnfinished, WindowsOverlap
from earlyflag.modelling.specification import Specification, check_finished


@dataclass(frozen=True, slots=True)
class Windows:
    """The cut-offs of one training run, each in rising order.

    Attributes
    ----------
    train : every label of these is known on the first test cut-off
    test : the cut-offs that the model is judged on
    delayed : one month before each test cut-off, for the alarm that looks for leakage
    """

    train: tuple[date, ...]
    test: tuple[date, ...]

    @property
    def delayed(self) -> tuple[date, ...]:
        """One month before each test cut-off."""
        return tuple(add_months(each, -1) for each in self.test)

    @property
    def needed(self) -> tuple[date, ...]:
        """Every cut-off whose features a run reads."""
        return tuple(sorted({*self.train, *self.test, *self.delayed}))

    @property
    def labelled(self) -> tuple[date, ...]:
        """Every cut-off whose label a run reads."""
        return tuple(sorted({*self.train, *self.test}))


def windows_of(
    specification: Specification, *, data_from: date | None, data_until: date
) -> Windows:
    """Return the cut-offs that a specification means for data of a given span.

    Parameters
    ----------
    data_from : the first day of the data; the first cut-off leaves it some history
    data_until : the last day on which the data know anything

    Raises
    ------
    HorizonUnfinished
        A test cut-off's horizon ends after the data, or the data are too short for any.
    WindowsOverlap
        A training label would be known only after the first test cut-off.
    """
    named = specification.cut_offs
    label = specification.label
    if named.train is not None and named.test is not None:
        result = Windows(tuple(sorted({*named.train})), tuple(sorted({*named.test})))
        check_finished(label, result.test[-1], data_until)
        return check_apart(specification, result)
    last = _first_of_month(data_until)
    while label.ends(last) > data_until + timedelta(days=1):
        last = add_months(last, -1)
    test = [add_months(last, -step * named.test_every_months) for step in range(named.test_count)]
    first_test = min(test)
    at = first_test
    while label.ends(at) > first_test:
        at = add_months(at, -1)
    earliest = add_months(data_from, named.history_months) if data_from else date.min
    train = []
    while at >= earliest and len(train) < named.train_count:
        train.append(at)
        at = add_months(at, -named.train_every_months)
    if not train:
        raise HorizonUnfinished(
            f"The data run from {data_from} to {data_until}: with a horizon of {label.horizon}, "
            f"{named.test_count} test cut-offs and {named.history_months} months of history no "
            "training cut-off is left. Deliver a longer history, or set a shorter horizon, fewer "
            "test cut-offs or less history in the specification."
        )
    return Windows(tuple(sorted(train)), tuple(sorted(test)))


def check_apart(specification: Specification, found: Windows) -> Windows:
    """Return the windows if every training label is known on the first test cut-off.

    Raises
    ------
    WindowsOverlap
        One is not.
    """
    first = found.test[0]
    late = [each for each in found.train if specification.label.ends(each) > first]
    if late:
        raise WindowsOverlap(
            f"{len(late)} of {len(found.train)} training cut-offs overlap the test: the label of "
            f"{late[-1]} is known only on {specification.label.ends(late[-1])}, after the first "
            f"test cut-off {first}. End the training cut-offs earlier or start the test later."
        )
    return found


def _first_of_month(day: date) -> date:
    return day.replace(day=1)
