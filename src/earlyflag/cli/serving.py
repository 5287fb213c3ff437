"""Serve the site: builds the database, the live model and what the pages are handed."""

from __future__ import annotations

import gc
import os
import socket
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earlyflag.cli.app import app, settings_of
from earlyflag.core.errors import PortTaken, SettingsInvalid, StepMissing
from earlyflag.core.logging import configure_logging
from earlyflag.core.settings import Settings, load_settings

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy import Engine


DEFAULT_MODEL = "early_intervention"
LOOPBACK = "127.0.0.1"
GARBAGE_BEGINS_AT = 10_000
"""Objects made since the last look before the garbage collector looks again."""


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = LOOPBACK,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    model: Annotated[str, typer.Option(help="Whose champion answers what-ifs.")] = DEFAULT_MODEL,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer requests.")] = 1,
) -> None:
    """Serve the pages and the API from what the home folder holds."""
    settings = settings_of(context)
    check_port(host, port)
    if not settings.home_folder.root.joinpath(".earlyflag").is_file():
        raise StepMissing(
            f"{settings.home} is no earlyflag home yet: there is nothing to serve. "
            "Run: earlyflag demo, or earlyflag ingest FOLDER (and the steps after it)."
        )
    if workers == 1:
        listen(settings, build_app(settings, host, port, model), host, port)
    else:
        prepare_database(settings)
        listen_with_workers(partial(build_worker, settings.home, host, port, model),
                            host, port, workers)  # fmt: skip


def check_port(host: str, port: int) -> None:
    """Refuse a port on which another program listens, before anything slow has begun.

    Raises
    ------
    PortTaken
        Something listens there already, or the address is not this machine's.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"Port {port} on {host} cannot be used ({error.strerror}). "
                "Stop the other program, or choose another port with --port."
            ) from error


def build_app(settings: Settings, host: str, port: int, model: str) -> FastAPI:
    """Return the application with the database, the champion and the PDF printer handed in."""
    from earlyflag import casework
    from earlyflag.cli.handed_in import DryRuns
    from earlyflag.modelling.awaited import AwaitedModel
    from earlyflag.reporting import pdf
    from earlyflag.web.app import HandedIn, create_app

    engine = prepare_database(settings)
    is_demo = casework.has_demo_accounts(engine)
    if is_demo and host not in (LOOPBACK, "localhost", "::1"):
        raise SettingsInvalid(
            f"The demo's sign-ins refuse to be served at {host}: they are for this machine only. "
            "Serve at 127.0.0.1, or use a home folder with real accounts."
        )
    scorer = AwaitedModel(settings.home_folder.registry, model)
    scorer.watch()
    origin = settings.public_origin
    if is_demo:
        # The demo is reached at whatever port it was given; forms are checked against that origin.
        origin = f"http://{host}:{port}"
    handed_in = HandedIn(
        scorer=scorer,
        model_trouble=lambda: scorer.status().problem,
        print_pack=pdf.tagged_pdf if pdf.is_available() else None,
        uploads=DryRuns(settings),
        is_demo=is_demo,
    )
    return create_app(settings.model_copy(update={"public_origin": origin}), engine, handed_in)


def prepare_database(settings: Settings) -> Engine:
    """Return the casework database, brought to the newest schema."""
    from earlyflag import store

    engine = store.connect(settings.database)
    store.upgrade(engine)
    return engine


def build_worker(home: Path, host: str, port: int, model: str) -> FastAPI:
    """Return the application of one of several processes, which share a home and a database."""
    configure_logging()
    site = build_app(load_settings(home), host, port, model)
    keep_what_was_built()
    return site


def keep_what_was_built() -> None:
    """Take what stands now out of the garbage collector's rounds: it stays until the end.

    Going through all of it again and again took a sixth of the time of a read.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_BEGINS_AT, 20, 20)


def listen_with_workers(build: Callable[[], FastAPI], host: str, port: int, workers: int) -> None:
    """Answer requests in several processes until stopped; each builds its own application.

    What they must agree on stands in the database; their figures are added up for `/metrics`.
    """
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    with tempfile.TemporaryDirectory(prefix="earlyflag-figures-") as figures:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures
        config = uvicorn.Config(
            build, factory=True, host=host, port=port, log_level="warning", access_log=False,
            workers=workers,
        )  # fmt: skip
        Multiprocess(config, sockets=[config.bind_socket()]).run()


def listen(settings: Settings, site: FastAPI, host: str, port: int) -> None:
    """Answer requests until stopped. The server's own access log is off: it would hold URLs."""
    import uvicorn

    configure_logging()
    keep_what_was_built()
    uvicorn.run(site, host=host, port=port, log_level="warning", access_log=False)
