"""What the pages are handed from the data wing, fitted to what the web asks for."""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from earlyflag.core.errors import ExtractRejected
from earlyflag.core.settings import Settings
from earlyflag.web.site import UploadFinding, UploadReport


class DryRuns:
    """Checks uploaded extracts against the data contract; nothing of them is kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def dry_run(self, files: Sequence[tuple[str, bytes]]) -> UploadReport:
        """Return what a delivery of these files would do.

        The files, and a home of their own with the present tables left out, live in a temporary
        folder that is gone when the answer is.
        """
        from earlyflag import sources
        from earlyflag.core.home import Home

        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "extracts"
            folder.mkdir()
            for name, content in files:
                (folder / Path(name).name).write_bytes(content)
            try:
                summary = sources.ingest(
                    folder,
                    Home(Path(scratch) / "home").open(),
                    bases=self._settings.lawful_basis,
                    reject_share_limit=self._settings.reject_share_limit,
                    dry_run=True,
                )
                refusal = ""
            except ExtractRejected as error:
                if not isinstance(error.summary, sources.IngestSummary):
                    raise
                summary, refusal = error.summary, str(error).split(" See ")[0]
            rows = [(name, t.accepted, t.rejected) for name, t in summary.tables.items()]
            return UploadReport(
                rows=rows,
                findings=_findings(summary.run_folder / "rejects"),
                accepted=not refusal,
                summary=refusal or f"{summary.accepted:,} of {summary.read:,} rows can be kept.",
            )


def _findings(rejects: Path) -> list[UploadFinding]:
    """Return what was wrong, by table, line and column; never the raw row."""
    found: Counter[tuple[str, int | None, str, str]] = Counter()
    for file in sorted(rejects.glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                line = int(row["line"]) if row["line"].isdigit() else None
                found[(file.stem, line, row["column"], row["rule"])] += 1
    return [UploadFinding(*key, count) for key, count in found.items()]
