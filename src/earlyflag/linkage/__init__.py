"""From records to people to households over time."""

from earlyflag.linkage.clerical import sample
from earlyflag.linkage.households import Households, load
from earlyflag.linkage.linking import link
from earlyflag.linkage.quality import quality
from earlyflag.linkage.weights import match_weight_chart

__all__ = ["Households", "link", "load", "match_weight_chart", "quality", "sample"]
