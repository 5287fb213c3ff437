"""Commands on data: synth, ingest, link, features."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from earlyflag.cli.app import app, settings_of
from earlyflag.cli.progress import TerminalProgress


@app.command()
def synth(
    out: Annotated[Path, typer.Argument(help="Folder to write, or with --check to read.")],
    households: Annotated[int, typer.Option(help="How many live there at the start.")] = 10_000,
    months: Annotated[
        int, typer.Option(help="Length of the period; it ends in October 2026.")
    ] = 60,
    seed: Annotated[int | None, typer.Option(help="Same seed, same borough.")] = None,
    file_format: Annotated[str, typer.Option("--format", help="parquet or csv.")] = "parquet",
    check: Annotated[
        bool, typer.Option("--check", help="Print each published figure beside the generated one.")
    ] = False,
) -> None:
    """Write a synthetic borough in the contract's form, with its truth beside it."""
    from earlyflag import synthetic
    from earlyflag.cli.printing import print_figures
    from earlyflag.core.errors import Misused

    if check and out.is_dir():
        print_figures(synthetic.check(out))
        return
    if file_format not in ("parquet", "csv"):
        raise Misused("--format is parquet or csv.")
    chosen = {} if seed is None else {"seed": seed}
    with TerminalProgress().step("synth", months + 1) as step:
        summary = synthetic.write_borough(
            out, households=households, months=months, advance=step.advance,
            file_format=file_format, **chosen,
        )  # fmt: skip
        step.wrote(f"{sum(summary.rows.values()):,} rows in {len(summary.rows)} tables to {out}")
    if check:
        print_figures(synthetic.check(out))


@app.command()
def ingest(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of extracts: CSV, CSV.GZ or Parquet.")],
    mapping: Annotated[
        str | None, typer.Option(help="A supplier's mapping: a YAML file, or a bundled name.")
    ] = None,
    delivered_on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day of the delivery, where no file name says it."),
    ] = None,
    lawful_basis: Annotated[
        str | None, typer.Option(help="Basis of this delivery: a text, or a file that holds it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report without loading.")] = False,
) -> None:
    """Take a delivery of extracts into the tables, whole or not at all."""
    from earlyflag.cli.printing import print_delivery
    from earlyflag.pipeline import steps

    summary = steps.ingest(
        settings_of(context),
        folder,
        TerminalProgress(),
        mapping=mapping,
        delivered_on=delivered_on.date() if delivered_on else None,
        lawful_basis=lawful_basis,
        dry_run=dry_run,
    )
    print_delivery(summary)


@app.command()
def features(
    context: typer.Context,
    as_of: Annotated[
        list[str] | None, typer.Option(help="A cut-off (YYYY-MM-DD or latest); may be repeated.")
    ] = None,
) -> None:
    """Compute the features of the newest cut-off, or of those named."""
    from earlyflag.pipeline import steps

    settings = settings_of(context)
    span = steps.span(settings)
    steps.build_features(
        settings, [span.resolve(day) for day in as_of or ["latest"]], TerminalProgress()
    )
