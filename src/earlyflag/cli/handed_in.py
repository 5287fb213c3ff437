"""What the pages are handed from the data wing, fitted to what the web asks for."""

from __future__ import annotations

import csv
import gzip
import tempfile
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from earlyflag.core.errors import ExtractRejected, InputInvalid, StepMissing
from earlyflag.core.settings import Settings
from earlyflag.web.site import UploadFinding, UploadReport

MOST_UNPACKED_BYTES = 200_000_000
"""What a page checks at once; a file of a megabyte may unpack to a thousand."""
CHUNK = 1 << 20


class DryRuns:
    """Checks uploaded extracts against the data contract; nothing of them is kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def dry_run(self, files: Sequence[tuple[str, bytes]]) -> UploadReport:
        """Return what a delivery of these files would do.

        The files, and a home of their own with the present tables left out, live in a temporary
        folder that is gone when the answer is.

        Raises
        ------
        InputInvalid
            The files unpack to more than a page checks, or none is named as an extract.
        """
        from earlyflag import sources
        from earlyflag.core.home import Home

        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "extracts"
            folder.mkdir()
            for name, content in files:
                (folder / Path(name).name).write_bytes(content)
            _check_size(folder)
            try:
                summary = sources.ingest(
                    folder,
                    Home(Path(scratch) / "home").open(),
                    bases=self._settings.lawful_basis,
                    reject_share_limit=self._settings.reject_share_limit,
                    dry_run=True,
                )
                refusal = ""
            except StepMissing as error:
                # said of a folder on the server, which is nothing to whoever sent the files
                raise InputInvalid(
                    f"None of the {len(files)} files is named as an extract, such as "
                    "council_tax_accounts.csv, .csv.gz or .parquet. Name them as in the data "
                    "contract.",
                    "files",
                    expected="files named as in the data contract",
                    got=f"{len(files)} files with other names",
                ) from error
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


def _check_size(folder: Path) -> None:
    size = sum(_unpacked(file) for file in folder.iterdir())
    if size > MOST_UNPACKED_BYTES:
        raise InputInvalid(
            f"These files unpack to more than {MOST_UNPACKED_BYTES // 1_000_000} MB, which is too "
            "big for a page. Use earlyflag ingest.",
            "files",
            expected=f"at most {MOST_UNPACKED_BYTES // 1_000_000} MB unpacked",
            got="more",
        )


def _unpacked(file: Path) -> int:
    """Return how large a file is when it is read, counted no further than it matters.

    What cannot be unpacked counts as it is: the check of the extract says what is wrong with it.
    """
    if file.suffix == ".parquet":
        import pyarrow
        from pyarrow.parquet import read_metadata

        try:
            found = read_metadata(file)
        except (OSError, pyarrow.ArrowException):
            return file.stat().st_size
        return sum(found.row_group(one).total_byte_size for one in range(found.num_row_groups))
    if file.suffix != ".gz":
        return file.stat().st_size
    size = 0
    try:
        with gzip.open(file) as unpacked:
            while size <= MOST_UNPACKED_BYTES and (chunk := unpacked.read(CHUNK)):
                size += len(chunk)
    except (OSError, EOFError, zlib.error):
        return max(size, file.stat().st_size)
    return size


def _findings(rejects: Path) -> list[UploadFinding]:
    """Return what was wrong, by table, line and column; never the raw row."""
    found: Counter[tuple[str, int | None, str, str]] = Counter()
    for file in sorted(rejects.glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                line = int(row["line"]) if row["line"].isdigit() else None
                found[(file.stem, line, row["column"], row["rule"])] += 1
    return [UploadFinding(*key, count) for key, count in found.items()]
