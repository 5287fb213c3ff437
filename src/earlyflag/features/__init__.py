"""Point-in-time features, labels, the feature catalogue."""

from earlyflag.features.audit import audit_groups
from earlyflag.features.catalogue import CATALOGUE
from earlyflag.features.declare import Feature, ReasonGroup
from earlyflag.features.evidence import evidence, evidence_of
from earlyflag.features.exclusions import exclusions, with_live_threat
from earlyflag.features.families import RULE_FAMILIES
from earlyflag.features.groups import GROUPS
from earlyflag.features.labels import Label, check_told, label, unlinked_events
from earlyflag.features.spine import spine
from earlyflag.features.store import FeatureStore, build, open_store

__all__ = [
    "CATALOGUE",
    "GROUPS",
    "RULE_FAMILIES",
    "Feature",
    "FeatureStore",
    "Label",
    "ReasonGroup",
    "audit_groups",
    "build",
    "check_told",
    "evidence",
    "evidence_of",
    "exclusions",
    "label",
    "open_store",
    "spine",
    "unlinked_events",
    "with_live_threat",
]
