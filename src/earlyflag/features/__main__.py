"""Writes the generated pages of the catalogue: `python -m earlyflag.features`."""

from __future__ import annotations

import json

from earlyflag.core.home import write_atomically
from earlyflag.features.catalogue import PAGES, as_json, as_markdown

if __name__ == "__main__":
    write_atomically(PAGES / "features.md", as_markdown())
    write_atomically(PAGES / "features.json", json.dumps(as_json(), indent=1) + "\n")
