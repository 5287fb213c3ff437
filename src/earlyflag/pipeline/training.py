"""Train, register and promote: the steps between features and the model that serves."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from earlyflag import features
from earlyflag.core.errors import ArtefactDamaged, SpecificationInvalid, StepMissing
from earlyflag.core.home import Home
from earlyflag.core.settings import Settings
from earlyflag.modelling import Specification, artefact, fit, load_table, steps, windows_of
from earlyflag.modelling.against import against
from earlyflag.modelling.rows import select
from earlyflag.modelling.tables import span
from earlyflag.modelling.windows import Windows
from earlyflag.pipeline.calendar import span_of
from earlyflag.pipeline.progress import Progress, Silent
from earlyflag.pipeline.steps import build_features, linked

if TYPE_CHECKING:
    import pandas as pd

    from earlyflag.features import FeatureStore
    from earlyflag.linkage import Households
    from earlyflag.modelling.registry import Registered
    from earlyflag.modelling.served import ServedModel
    from earlyflag.sources import Tables

CASES_WITHOUT_A_HOME = """
SELECT u.reason, e.ethnic_group, e.sex, e.disability, e.age_band
FROM homelessness_cases AS c
LEFT JOIN equality_monitoring AS e ON e.source = 'homelessness' AND e.person_ref = c.person_ref
LEFT JOIN unscorable AS u ON u.source = 'homelessness' AND u.ref = c.case_ref
"""

SEARCH_DATABASE = "search.db"


def train(
    settings: Settings,
    specification_file: Path,
    progress: Progress,
    *,
    truth: pd.DataFrame | None = None,
    threads: int = 2,
) -> Registered:
    """Train one specification on the home's households and register it as the challenger.

    Parameters
    ----------
    truth : household_id, as_of, oracle; of a synthetic borough only

    Raises
    ------
    StepMissing
        Nothing is ingested or linked yet.
    SpecificationInvalid, WindowsOverlap, HorizonUnfinished
        The specification contradicts itself or asks for what the data cannot tell.
    """
    specification = Specification.load(specification_file)
    home = settings.home_folder.open()
    tables, households = linked(home)
    span = span_of(tables)
    windows = windows_of(specification, data_from=span.data_from, data_until=span.data_until)
    features.check_told(windows.labelled, specification.label, tables)
    store = build_features(settings, windows.needed, progress)
    with progress.step("labels") as step:
        frame = labelled(specification, store, tables, households, windows.labelled)
        frame = with_rule_terms(frame, home, tables, households, windows)
        audit = features.audit_groups(tables, households, list(windows.test))
        unlinked = features.unlinked_events(
            tables, households, list(windows.test), specification.label
        )
        step.wrote(f"{len(frame):,} rows, {int(frame['label'].sum()):,} events")
    with progress.step("train", steps(specification)) as step:
        fitted = fit(
            specification,
            frame,
            features.CATALOGUE,
            windows=windows,
            audit=audit,
            truth=truth,
            delayed=delayed(store, windows),
            unlinked=unlinked,
            unscorable=unscorable(tables, households),
            champion=champion_of(home, specification.name),
            data_hash=data_hash(tables, households),
            storage=home.mlflow / SEARCH_DATABASE,
            threads=threads,
            advance=step.advance,
        )
        step.wrote(fitted.results["model"]["choice"]["sentence"])
    return _register(fitted, home, progress)


def train_table(
    settings: Settings,
    table: Path,
    specification_file: Path,
    progress: Progress,
    *,
    threads: int = 2,
) -> Registered:
    """Train on a feature table of one's own, without sources and linkage."""
    specification = Specification.load(specification_file)
    home = settings.home_folder.open()
    own = load_table(table, specification, beside=specification_file)
    first, last = span(own, specification)
    windows = windows_of(specification, data_from=first, data_until=last)
    with progress.step("train", steps(specification)) as step:
        fitted = fit(
            specification,
            own.frame,
            own.catalogue,
            windows=windows,
            audit=own.audit,
            champion=champion_of(home, specification.name),
            data_hash=hashlib.sha256(table.read_bytes()).hexdigest()[:16],
            storage=home.mlflow / SEARCH_DATABASE,
            threads=threads,
            advance=step.advance,
        )
        step.wrote(fitted.results["model"]["choice"]["sentence"])
    return _register(fitted, home, progress, groups=own.groups)


def champion_of(home: Home, name: str) -> ServedModel | None:
    """Return the model that serves now, to be compared with; None if there is none that can be."""
    from earlyflag.modelling import registry

    try:
        return registry.champion(home, name)
    except (StepMissing, ArtefactDamaged):  # the gate says that a champion is damaged
        return None


def beside_champion(
    settings: Settings, model_name: str, version: str, champion: str
) -> dict[str, Any] | None:
    """Return how a registered version compares with a champion that did not serve at its training.

    Both are scored by their artefacts on the version's own test cut-offs, with the tables as they
    are now. None for a model trained on a table of one's own, which the home does not keep.
    """
    from earlyflag.modelling import registry

    home = settings.home_folder.open()
    own, other = (
        artefact.load(home.registry / model_name / each, rehearse=False)
        for each in (version, champion)
    )
    if not set(own.info.features) <= set(features.CATALOGUE):
        return None
    found = registry.results(home, model_name, version)
    specification = Specification.of(found["specification"])
    tests = [date.fromisoformat(day) for day in found["windows"]["test"]]
    tables, households = linked(home)
    store = build_features(settings, tests, Silent())
    frame = labelled(specification, store, tables, households, tests)
    test = select(specification, frame, own.info.features, tests, part="test")
    return against(other, own.log_odds(test.matrix), frame, test, specification)


def labelled(
    specification: Specification,
    store: FeatureStore,
    tables: Tables,
    households: Households,
    cut_offs: Sequence[date],
) -> pd.DataFrame:
    """Return features and labels of some cut-offs, one row a household and cut-off."""
    labels = features.label(tables, households, list(cut_offs), specification.label)
    return store.frame(list(cut_offs)).merge(
        labels, on=["household_id", "as_of"], how="inner", validate="one_to_one"
    )


def with_rule_terms(
    frame: pd.DataFrame, home: Home, tables: Tables, households: Households, windows: Windows
) -> pd.DataFrame:
    """Return a frame with what the simple rules need beside the features, at the test cut-offs.

    They are computed for this run and not kept.
    """
    with tempfile.TemporaryDirectory(dir=home.root) as scratch:
        store = features.build(
            tables, households, windows.test, Path(scratch), families=features.RULE_FAMILIES
        )
        terms = store.frame(windows.test)
    return frame.merge(terms, on=["household_id", "as_of"], how="left", validate="one_to_one")


def delayed(store: FeatureStore, windows: Windows) -> pd.DataFrame:
    """Return features one month before each test cut-off, under the test cut-off's date."""
    import pandas as pd

    parts = [
        store.frame([before]).assign(as_of=pd.Timestamp(test))
        for before, test in zip(windows.delayed, windows.test, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def specification_file(name: str) -> Path:
    """Return a specification by name: of the folder one stands in, the checkout, or the package.

    Raises
    ------
    SpecificationInvalid
        There is none of that name.
    """
    here = Path(__file__).parent
    places = (Path("models"), here.parents[2] / "models", here / "specifications")
    for place in places:
        if (place / f"{name}.yaml").is_file():
            return place / f"{name}.yaml"
    raise SpecificationInvalid(
        f"There is no specification models/{name}.yaml. Name another with --spec."
    )


def version_for(settings: Settings, file: Path) -> str | None:
    """Return the newest version trained on the home's data as they are, to a specification.

    One whose features the catalogue no longer has does not count: it could score nothing.
    """
    from earlyflag.modelling import registry

    specification = Specification.load(file)
    home = settings.home_folder.open()
    wanted = (data_hash(*linked(home)), specification.content_hash)
    for version in reversed(registry.versions(home, specification.name)):
        info = registry.info_of(home, specification.name, version)
        same = (info.data_hash, info.specification_hash) == wanted
        if same and set(info.features) <= set(features.CATALOGUE):
            return version
    return None


def unscorable(tables: Tables, households: Households) -> pd.DataFrame:
    """Return each homelessness case's reason for having no scorable home, beside its groups."""
    with duckdb.connect() as connection:
        tables.register(connection)
        households.register(connection)
        return connection.execute(CASES_WITHOUT_A_HOME).df()


def data_hash(tables: Tables, households: Households) -> str:
    """Return a short hash that changes if and only if tables or households do."""
    content = f"{tables.content_hash}/{households.content_hash}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def code_version() -> str:
    """Return the commit of the checkout that this runs from; blank where there is none."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607 - whichever git is in the path
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _register(fitted, home: Home, progress: Progress, groups=None) -> Registered:  # type: ignore[no-untyped-def]
    from earlyflag.modelling import plots, registry
    from earlyflag.reporting import card

    with progress.step("register") as step:
        registered = registry.register(
            fitted,
            home,
            groups=groups or features.GROUPS,
            card=card.render,
            plots=plots.draw(fitted),
            code_version=code_version(),
        )
        step.wrote(f"{registered.info.full_version} ({registered.info.family}), as challenger")
    return registered
