"""Commands that keep an installation in order: database, users, audit, data protection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earlyflag.cli.app import app, settings_of
from earlyflag.cli.printing import print_table
from earlyflag.core.clock import SystemClock
from earlyflag.core.errors import Misused
from earlyflag.core.home import write_atomically
from earlyflag.core.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from earlyflag.casework import Desk

audit_app = typer.Typer(help="Check the audit and export its head.", no_args_is_help=True)
database_app = typer.Typer(help="Make and upgrade the casework database.", no_args_is_help=True)
users_app = typer.Typer(help="Make local accounts.", no_args_is_help=True)
app.add_typer(audit_app, name="audit")
app.add_typer(database_app, name="database")
app.add_typer(users_app, name="users")

DryRun = Annotated[bool, typer.Option("--dry-run", help="Count, and change nothing.")]
Household = Annotated[str, typer.Argument(help="The household's pseudonym, as on its page.")]


def open_engine(settings: Settings) -> Engine:
    """Return the casework database, refused where its schema is not the newest."""
    from earlyflag import store

    engine = store.connect(settings.database)
    store.check_ready(engine)
    return engine


@contextmanager
def open_desk(settings: Settings, command: str) -> Iterator[Desk]:
    """Open a desk for one of the service's own commands."""
    from earlyflag import casework

    actor = casework.system_actor(command)
    rules = casework.Rules.of(settings)
    now = SystemClock().now()
    with casework.open_desk(open_engine(settings), actor, now=now, rules=rules) as desk:
        yield desk


@database_app.command("upgrade")
def upgrade_database(
    context: typer.Context,
    grant: Annotated[
        str | None, typer.Option(help="PostgreSQL role of the service, to be given its rights.")
    ] = None,
) -> None:
    """Make the casework database, or bring it to this version's schema."""
    from earlyflag import store

    settings = settings_of(context)
    if not settings.database_url:
        settings.home_folder.open()
    engine = store.connect(settings.database)
    store.upgrade(engine)
    typer.echo("The database has the newest schema.")
    if grant is not None:
        store.grant_application(engine, grant)
        typer.echo(f"{grant} may read and write casework, and only add to the audit.")


@users_app.command("add")
def add_user(
    context: typer.Context,
    username: Annotated[str, typer.Argument(help="What the person signs in with.")],
    name: Annotated[str, typer.Argument(help="The name that colleagues see.")],
    role: Annotated[list[str], typer.Option(help="officer, reviewer, manager, ...; repeatable.")],
    safe_contact: Annotated[
        bool, typer.Option("--safe-contact", help="Grant the permission of that name.")
    ] = False,
    password_file: Annotated[
        Path | None, typer.Option(help="File with the first password; without it, it is asked for.")
    ] = None,
) -> None:
    """Make a local account; the first administrator is made this way."""
    from earlyflag import casework
    from earlyflag.store.terms import Permission, Role

    unknown = [one for one in role if one not in set(map(str, Role))]
    if unknown:
        raise Misused(f"There is no role {unknown[0]}. Roles are: {', '.join(Role)}.")
    granted = [Permission.SAFE_CONTACT] if safe_contact else []
    password = _first_password(password_file)
    with open_desk(settings_of(context), "users") as desk:
        casework.make_account(desk, username, name, password, [Role(one) for one in role], granted)
    typer.echo(f"{username} may sign in.")


@users_app.command("key")
def make_key(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which system uses it.")],
    scope: Annotated[list[str], typer.Option(help="What it may do; repeatable.")],
    days: Annotated[int, typer.Option(help="How long it lasts.")] = 90,
    alert_source: Annotated[
        str | None, typer.Option(help="For alerts:write: landlord, agent or partner.")
    ] = None,
) -> None:
    """Make a machine's key and print it, this once."""
    from earlyflag import casework
    from earlyflag.store.terms import AlertSource, Scope

    if set(scope) - set(map(str, Scope)):
        raise Misused(f"--scope is one of {', '.join(Scope)}.")
    if alert_source is not None and alert_source not in set(map(str, AlertSource)):
        raise Misused(f"--alert-source is one of {', '.join(AlertSource)}.")
    with open_desk(settings_of(context), "users") as desk:
        secret, record = casework.make_key(
            desk,
            name,
            [Scope(one) for one in scope],
            days=days,
            alert_source=AlertSource(alert_source) if alert_source else None,
        )
    typer.echo(secret)
    typer.echo(f"It expires on {record.expires_at:%Y-%m-%d} and is not shown again.", err=True)


def _first_password(file: Path | None) -> str:
    """Return the password of a file, or ask; it never stands on the command line."""
    if file is None:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    if not file.is_file():
        raise Misused(f"There is no file {file} to read the password from.")
    return file.read_text(encoding="utf-8").strip()


@audit_app.command("verify")
def verify_audit(
    context: typer.Context,
    heads: Annotated[
        Path | None, typer.Option(help="Exported heads. Default: of the settings, or the home's.")
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="Key of checkpoints. Default: of the settings, or home's.")
    ] = None,
) -> None:
    """Check every row of the audit; exit with an error if anything was meddled with."""
    from earlyflag import casework

    settings = settings_of(context)
    vouchers = casework.read_vouchers(
        heads or settings.heads_file,
        public_key or settings.public_key_file,
        stated=(heads or settings.audit_heads, public_key or settings.audit_public_key),
    )
    found = casework.check_audit(
        open_engine(settings), exported=vouchers.heads, public_key=vouchers.public_key
    )
    sound = (
        "The audit is sound as far as could be checked" if found.cautions else "The audit is sound"
    )
    typer.echo(
        f"{sound}: {found.rows:,} rows, {found.first:,} to {found.last:,}, "
        f"and {found.heads} exported heads met."
    )
    for caution in found.cautions:
        typer.echo(caution)


@audit_app.command("head")
def export_head(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Option(help="File to add to. Default: of the settings, or the home's.")
    ] = None,
) -> None:
    """Add the audit's head to a file; run it daily and keep the file elsewhere."""
    from earlyflag import casework

    settings = settings_of(context)
    place = file or settings.heads_file
    head = casework.export_head(open_engine(settings), place, now=SystemClock().now())
    typer.echo(f"Row {head.sequence:,} written to {place.name}.")


@app.command()
def daily(context: typer.Context) -> None:
    """Bring back flags whose day has come and leave out households suppressed since."""
    from earlyflag import casework
    from earlyflag.casework.suppressing import settle_suppressions

    with open_desk(settings_of(context), "daily") as desk:
        resumed, withdrawn = len(casework.resume_due(desk)), settle_suppressions(desk)
    typer.echo(f"{resumed} flags came back, {withdrawn} were withdrawn.")


@app.command("subject-access")
def subject_access(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(help="Of a person, account, tenancy or household.")],
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
) -> None:
    """Write everything held about a person's household, for that person."""
    from earlyflag import casework

    with open_desk(settings_of(context), "subject-access") as desk:
        held = casework.subject_access(desk, reference)
    write_atomically(out, json.dumps(held, indent=2, ensure_ascii=False) + "\n")
    out.chmod(0o600)
    typer.echo(f"{len(held['households'])} households written to {out.name}.")
    left_out = sum(sum(one["left_out"].values()) for one in held["households"])
    typer.echo(f"{left_out} records or fields were left out as others'; left_out says of what.")
    for place in held["check_before_sending"]:
        typer.echo(f"Read before sending, it may name somebody else: {place}")


@app.command()
def suppress(
    context: typer.Context,
    household: Household,
    kind: Annotated[str, typer.Argument(help="objection, safe_contact, deceased, ...")],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day it no longer holds.")
    ] = None,
) -> None:
    """Keep a household off every list."""
    from earlyflag import casework
    from earlyflag.store.terms import SuppressionKind

    if kind not in set(map(str, SuppressionKind)):
        raise Misused(f"There is no kind {kind}. Kinds are: {', '.join(SuppressionKind)}.")
    with open_desk(settings_of(context), "suppress") as desk:
        reference = casework.suppress(
            desk, household, SuppressionKind(kind), until=until.date() if until else None
        )
    typer.echo(f"Suppressed: {reference}")


@app.command()
def erase(context: typer.Context, household: Household, dry_run: DryRun = False) -> None:
    """Erase a household; codes and dates of its case stay under the pseudonym."""
    from earlyflag import casework

    with open_desk(settings_of(context), "erase") as desk:
        counts = casework.erase(desk, household, dry_run=dry_run)
    heading = "rows that would go or be blanked" if dry_run else "rows gone or blanked"
    print_table(("table", heading), list(counts.items()))


@app.command()
def readmit(context: typer.Context, household: Household) -> None:
    """Let an erased household come with the next delivery again, at its own wish."""
    from earlyflag import casework

    with open_desk(settings_of(context), "erase") as desk:
        casework.readmit(desk, household)
    typer.echo("The household comes again with the next delivery.")


@app.command()
def retain(context: typer.Context, dry_run: DryRun = False) -> None:
    """Delete what is older than the settings allow, the audit's oldest stretch included."""
    from earlyflag import casework

    settings = settings_of(context)
    with open_desk(settings, "retain") as desk:
        report = casework.retain(desk, settings.retention, dry_run=dry_run)
        key = None if dry_run else casework.signing_key(settings.home_folder.audit_key)
        if key is not None:
            casework.write_public_key(key, settings.home_folder.audit_public_key)
        ended = casework.end_stretch(desk, months=settings.retention.audit_months, key=key)
    rows = [(name, count, report.held_back.get(name, 0)) for name, count in report.deleted.items()]
    rows.append(("audit", ended.deleted, ended.held_back))
    rows.append(("flags that lapse", report.lapsed_flags, 0))
    heading = "rows that would go or be blanked" if dry_run else "rows gone or blanked"
    print_table(("table", heading, "kept by a legal hold"), rows)
