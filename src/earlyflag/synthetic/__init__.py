"""A believable borough, written in the data contract's form, with its truth beside it."""

from earlyflag.synthetic.borough import BoroughSummary, write_borough

__all__ = ["BoroughSummary", "write_borough"]
