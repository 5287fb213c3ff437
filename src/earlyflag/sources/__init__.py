"""A declared schema per table, vendor mappings, reading, validation, rejects."""

from earlyflag.sources.frames import tables_from_frames
from earlyflag.sources.ingest import delivery_size, ingest
from earlyflag.sources.mapping import bundled, load_mapping
from earlyflag.sources.schema import TABLES
from earlyflag.sources.store import Tables, load
from earlyflag.sources.summary import IngestSummary, TableSummary

__all__ = [
    "TABLES",
    "IngestSummary",
    "TableSummary",
    "Tables",
    "bundled",
    "delivery_size",
    "ingest",
    "load",
    "load_mapping",
    "tables_from_frames",
]
