"""Commands on models and scores: train, promote, compare, score, export."""

from __future__ import annotations

import getpass
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from earlyflag.cli.app import app, settings_of
from earlyflag.cli.printing import print_table
from earlyflag.cli.progress import TerminalProgress
from earlyflag.cli.serving import DEFAULT_MODEL
from earlyflag.core.clock import SystemClock
from earlyflag.core.errors import SpecificationInvalid

models_app = typer.Typer(help="Look at registered models.", no_args_is_help=True)
app.add_typer(models_app, name="models")
scores_app = typer.Typer(help="What may be done with scores.", no_args_is_help=True)
app.add_typer(scores_app, name="scores")

CARDS = "cards"
ModelName = Annotated[str, typer.Option("--model", help="Name of the model's specification.")]
AsOf = Annotated[str, typer.Option(help="Cut-off: YYYY-MM-DD or latest.")]


@app.command()
def train(
    context: typer.Context,
    spec: Annotated[
        Path | None,
        typer.Option(help="Model specification; default models/early_intervention.yaml."),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="Train on a feature table of one's own (Parquet or CSV).")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads for the estimators.")] = 2,
) -> None:
    """Train a specification, judge it forward in time, and register it as challenger."""
    from earlyflag.pipeline import promotion, training

    settings, progress = settings_of(context), TerminalProgress()
    spec = spec or training.specification_file(DEFAULT_MODEL)
    if table is None:
        registered = training.train(settings, spec, progress, threads=threads)
    else:
        registered = training.train_table(settings, table, spec, progress, threads=threads)
    info = registered.info
    card = promotion.publish_card(settings, info.name, info.version, spec.parent / CARDS)
    typer.echo(f"registered {info.full_version}; card: {card}")


@app.command()
def promote(
    context: typer.Context,
    version: Annotated[str, typer.Argument(help="A number, `latest` or `challenger`.")],
    reason: Annotated[str, typer.Option(help="Why; it stands on the card.")],
    by: Annotated[str, typer.Option(help="Who decides it; without it, who runs the command.")] = "",
    override_by: Annotated[
        str | None, typer.Option(help="A second person who lets a refused model serve.")
    ] = None,
    model: ModelName = DEFAULT_MODEL,
) -> None:
    """Make a version the champion, if the gate lets it pass or a second person overrides."""
    from earlyflag.pipeline import promotion, training

    findings = promotion.promote(
        settings_of(context),
        model,
        version,
        reason=reason,
        by=by or getpass.getuser(),
        override_by=override_by,
    )
    with suppress(SpecificationInvalid):  # a specification kept elsewhere has its card elsewhere
        folder = training.specification_file(model).parent / CARDS
        promotion.publish_card(settings_of(context), model, version, folder)
    for finding in findings:
        typer.echo(f"{'passes ' if finding.passes else 'REFUSES'}  {finding.sentence}")


@app.command()
def score(
    context: typer.Context,
    as_of: AsOf = "latest",
    capacity: Annotated[
        int | None, typer.Option(min=1, help="How many the team can contact.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws the explore share and the holdback.")] = 0,
    model: ModelName = DEFAULT_MODEL,
) -> None:
    """Score every household with the champion and raise flags for the top of the list."""
    from earlyflag.pipeline import scoring

    summary = scoring.score(
        settings_of(context), as_of, TerminalProgress(),
        clock=SystemClock(), model_name=model, capacity=capacity, seed=seed,
    )  # fmt: skip
    raised = summary.raised
    print_table(
        ("what", "households"),
        [
            ("scored", summary.run.scored),
            ("of them withheld: erased", summary.withheld),
            ("flagged", raised.flagged),
            *(
                [(f"of them added, beyond a capacity of {raised.widened_from:,}", raised.added)]
                if raised.widened_from is not None
                else []
            ),
            ("of them to learn from", raised.explored),
            ("held back for the pilot", raised.held_back),
            *((f"left out: {why.replace('_', ' ')}", n) for why, n in raised.excluded.items()),
            *(
                (f"passed over below the line: {why.replace('_', ' ')}", n)
                for why, n in raised.passed_over.items()
            ),
            *((f"cannot be scored: {why}", n) for why, n in summary.run.cannot_score.items()),
        ],
    )
    if summary.asked < raised.capacity:
        typer.echo(
            f"These flags were raised for a capacity of {raised.capacity:,}. "
            f"One of {summary.asked:,} takes none of them back."
        )


@scores_app.command("export")
def export(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
    purpose: Annotated[str, typer.Option(help="Why; recorded in the audit.")],
    as_of: AsOf = "latest",
) -> None:
    """Write the scores of a cut-off as CSV, without suppressed households."""
    from earlyflag.pipeline import scoring

    rows = scoring.export_scores(
        settings_of(context), as_of, out, purpose=purpose, clock=SystemClock()
    )
    typer.echo(f"{rows:,} scores written to {out}")


@app.command()
def capacity(context: typer.Context, model: ModelName = DEFAULT_MODEL) -> None:
    """Show what each length of the list would find and what it would miss."""
    from earlyflag.pipeline import documents

    results = documents.champion_results(settings_of(context).home_folder.open(), model)
    print_table(documents.CAPACITY_HEADINGS, documents.capacity_rows(results))
    for line in documents.capacity(results)["lead"]:
        typer.echo(line)
    for section in documents.by_group(results):
        typer.echo(f"\n{section['heading']}. {section['text'][0]}")
        print_table(section["table"]["headings"], section["table"]["rows"])


@models_app.command("list")
def list_models(context: typer.Context, model: ModelName = DEFAULT_MODEL) -> None:
    """List the registered versions and who holds which alias."""
    from earlyflag.pipeline import promotion

    print_table(
        ("version", "family", "trained to", "alias"),
        promotion.listing(settings_of(context), model),
    )


@models_app.command()
def compare(
    context: typer.Context,
    first: Annotated[str, typer.Argument(help="A version, champion or challenger.")],
    second: Annotated[str, typer.Argument(help="Another.")],
    capacity: Annotated[int | None, typer.Option(help="Length of the list.")] = None,
    model: ModelName = DEFAULT_MODEL,
) -> None:
    """Show two versions side by side, and who would be listed by one and not the other."""
    from earlyflag.pipeline import comparing

    for header, rows in comparing.compare(
        settings_of(context), model, first, second, capacity, TerminalProgress()
    ):
        print_table(header, rows)
        typer.echo("")


@app.command()
def feedback(context: typer.Context) -> None:
    """Take decisions and early alerts back into the tables, before the next month is linked."""
    from earlyflag.cli.printing import print_delivery
    from earlyflag.pipeline import feedback as room

    summary = room.return_to_tables(settings_of(context), TerminalProgress(), clock=SystemClock())
    if summary is None:
        typer.echo("casework holds no contact, support or alert yet")
    else:
        print_delivery(summary)


@app.command()
def pilot(
    context: typer.Context,
    horizon_months: Annotated[int, typer.Option(help="How long after the draw to look.")] = 12,
) -> None:
    """Compare the pilot's arms, as they were drawn, and publish what was found."""
    from earlyflag.pipeline import feedback as room

    found = room.evaluate_pilot(
        settings_of(context), clock=SystemClock(), horizon_months=horizon_months
    )
    typer.echo(found.sentence if found else "too few households have lived through their horizon")


@app.command()
def fairness(context: typer.Context, model: ModelName = DEFAULT_MODEL) -> None:
    """Count by group who was listed, reached and helped, and publish the counts."""
    from earlyflag.modelling import Specification
    from earlyflag.pipeline import feedback as room
    from earlyflag.pipeline import training

    audit = Specification.load(training.specification_file(model)).audit
    found = room.audit_help(settings_of(context), audit.groups, clock=SystemClock())
    for name, entries in found.items():
        print_table(room.journey_headings(name), room.journey_lines(entries))
        typer.echo("")
    if not found:
        typer.echo("nobody has been listed yet")
