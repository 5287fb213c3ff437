"""How results look on a terminal; plain text, so that they can be piped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from earlyflag.sources import IngestSummary


def print_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as columns, numbers to the right."""
    texts = [list(header), *[[_text(cell) for cell in row] for row in rows]]
    widths = [max(len(row[place]) for row in texts) for place in range(len(header))]
    for row in texts:
        cells = [
            cell.rjust(width) if _is_number(cell) else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        typer.echo("  ".join(cells).rstrip())


def print_figures(rows: Iterable[Any]) -> None:
    """Print each published figure beside the generated one."""
    print_table(
        ("topic", "figure", "published", "generated"),
        ((row.topic, row.figure, row.published, row.generated) for row in rows),
    )


def print_delivery(summary: IngestSummary) -> None:
    """Print the counts of a delivery by table, its warnings, and where its run is."""
    print_table(
        ("table", "read", "accepted", "rejected", "duplicates", "superseded"),
        (
            (name, each.read, each.accepted, each.rejected, each.duplicates, each.superseded)
            for name, each in summary.tables.items()
        ),
    )
    for warning in summary.warnings:
        typer.echo(f"warning: {warning}")
    if summary.unread_files:
        typer.echo(f"not read: {', '.join(summary.unread_files)}")
    if summary.dry_run:
        typer.echo("dry run: nothing was loaded")
    typer.echo(f"run: {summary.run_folder}")


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:,.3f}"
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").replace("-", "").replace("%", "").isdigit()
