"""From records to people to households over time."""

from earlyflag.linkage.households import Households, load
from earlyflag.linkage.linking import link

__all__ = ["Households", "link", "load"]
