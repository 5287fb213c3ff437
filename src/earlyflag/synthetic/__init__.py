"""A believable borough, written in the data contract's form, with its truth beside it."""

from earlyflag.synthetic.borough import (
    DEFAULT_MONTHS,
    DEFAULT_SEED,
    BoroughSummary,
    write_borough,
)
from earlyflag.synthetic.check import CheckedFigure, check

__all__ = [
    "DEFAULT_MONTHS",
    "DEFAULT_SEED",
    "BoroughSummary",
    "CheckedFigure",
    "check",
    "write_borough",
]
