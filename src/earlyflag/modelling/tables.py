"""Bring your own table: train on any feature table with a small catalogue beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from earlyflag.core.errors import Misused, SpecificationInvalid, UndeclaredFeature
from earlyflag.modelling.specification import Specification, readable

if TYPE_CHECKING:
    import pandas as pd

OWN_COLUMNS = ("household_id", "as_of", "label", "label_known_on", "excluded", "censored", "helped")
MOST_NAMED = 8


class TableFeature(BaseModel):
    """A feature of a table, as its catalogue file declares it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    sentence: str = ""
    unit: str = "number"
    group: str = "other"
    monotone: Literal[-1, 0, 1] = 0
    actionable: bool = False
    window_months: int | None = None
    gateway: str = "the table's own"


class TableCatalogue(BaseModel):
    """What a table's columns mean: features, groups of features, audit columns, ignored ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: dict[str, TableFeature]
    groups: dict[str, str] = Field(default_factory=dict)
    audit: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class OwnTable:
    """A table ready for `modelling.fit`.

    Attributes
    ----------
    frame : household_id, as_of, features, label and what else it has of `OWN_COLUMNS`
    catalogue : declarations by feature name
    groups : the reason groups they name, by key
    audit : household_id, as_of and the audit columns, or None
    """

    frame: pd.DataFrame
    catalogue: dict[str, Any]
    groups: dict[str, Any]
    audit: pd.DataFrame | None


def load_table(path: Path, specification: Specification, *, beside: Path | None = None) -> OwnTable:
    """Read a feature table (Parquet, CSV or gzipped CSV) and the catalogue that explains it.

    Parameters
    ----------
    path : household_id, as_of, features..., label
    beside : the specification's file; its `catalogue` is looked for in the same folder

    Raises
    ------
    Misused
        The table cannot be read, or lacks a column that every table has.
    SpecificationInvalid
        The catalogue is missing, has an unknown key, or an audit column is also a feature.
    UndeclaredFeature
        The table has columns that the catalogue neither declares nor sets aside.
    """
    frame = _read(path)
    lacking = [name for name in ("household_id", "as_of", "label") if name not in frame]
    if lacking:
        raise Misused(f"{path.name} lacks {len(lacking)} columns that every table needs: "
                      f"{', '.join(lacking)}.")  # fmt: skip
    catalogue = load_catalogue(_catalogue_file(specification, beside or path))
    _check_columns(frame, catalogue, path)
    import pandas as pd

    for name in ("as_of", "label_known_on"):
        if name in frame:
            frame[name] = _dates(frame[name], name, path)
    for name in ("household_id", "as_of"):
        blank = int(frame[name].isna().sum())
        if blank:
            raise Misused(f"{path.name}: {blank} rows have a blank {name}. Fill it or drop them.")
    for name in ("helped", "censored"):
        if name in frame:
            frame[name] = _marks(frame[name], name, path)
    features = [name for name in catalogue.features if name in frame]
    frame[features] = _numbers(frame, features, path)
    frame["label"] = _label(frame["label"], path)
    repeated = int(frame.duplicated(["household_id", "as_of"]).sum())
    if repeated:
        raise Misused(
            f"{path.name} has {repeated} rows whose household_id and as_of repeat an earlier row. "
            "Keep one row a household and cut-off."
        )
    present = [name for name in catalogue.audit if name in frame]
    audit = frame[["household_id", "as_of", *present]].copy() if present else None
    own = [name for name in OWN_COLUMNS if name in frame]
    return OwnTable(
        frame=pd.DataFrame(frame[[*own, *features]]),
        catalogue={name: _declared(name, each) for name, each in catalogue.features.items()},
        groups=_groups(catalogue),
        audit=audit,
    )


def load_catalogue(path: Path) -> TableCatalogue:
    """Read a catalogue file.

    Raises
    ------
    SpecificationInvalid
        It is missing, no YAML, has an unknown key, or declares an audit column as a feature.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        catalogue = TableCatalogue.model_validate(content)
    except FileNotFoundError as error:
        raise SpecificationInvalid(
            f"There is no catalogue at {path}. Name it in the specification's key catalogue."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecificationInvalid(f"{path} is not valid YAML: {error}.") from error
    except ValidationError as error:
        raise SpecificationInvalid(f"{path}: {readable(TableCatalogue, error)}") from error
    own = sorted({*catalogue.features, *catalogue.audit, *catalogue.ignore} & {*OWN_COLUMNS})
    if own:
        raise SpecificationInvalid(
            f"{path}: {own[0]} has a meaning of its own in every table. Take it out of the "
            "catalogue."
        )
    both = sorted(set(catalogue.features) & set(catalogue.audit))
    if both:
        raise SpecificationInvalid(
            f"{path}: {both[0]} is declared as a feature and for the audit. An audit column may "
            "never be a feature: take it out of features."
        )
    return catalogue


def span(table: OwnTable, specification: Specification) -> tuple[Any, Any]:
    """Return the first cut-off and the day on which the last label was known."""
    import pandas as pd

    known = table.frame[table.frame["label"].notna()]
    if not len(known):
        raise Misused("No row of the table has a label.")
    first = known["as_of"].min().date()
    if specification.data_until:
        return first, specification.data_until
    if "label_known_on" in known:
        return first, known["label_known_on"].max().date()
    last = known["as_of"].max().date()
    return first, (pd.Timestamp(specification.label.ends(last)) - pd.Timedelta(days=1)).date()


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype={"household_id": str})
    except FileNotFoundError as error:
        raise Misused(f"There is no table at {path}.") from error
    except (ValueError, OSError) as error:
        raise Misused(
            f"{path.name} cannot be read as Parquet or CSV ({type(error).__name__})."
        ) from error


def _catalogue_file(specification: Specification, beside: Path) -> Path:
    if specification.catalogue is None:
        raise SpecificationInvalid(
            f"The specification {specification.name} names no catalogue. Add catalogue: FILE.yaml, "
            "which says what the table's columns mean; see docs/how-to/bring-your-own-table.md."
        )
    folder = beside.parent if beside.suffix else beside
    return folder / specification.catalogue


def _check_columns(frame: pd.DataFrame, catalogue: TableCatalogue, path: Path) -> None:
    known = {*OWN_COLUMNS, *catalogue.features, *catalogue.audit, *catalogue.ignore}
    unknown = [str(name) for name in frame.columns if name not in known]
    if unknown:
        raise UndeclaredFeature(
            f"{path.name} has {len(unknown)} columns that its catalogue does not declare: "
            f"{', '.join(unknown[:MOST_NAMED])}. Declare each under features, audit or ignore."
        )
    absent = [name for name in catalogue.features if name not in frame]
    if absent:
        raise UndeclaredFeature(
            f"{path.name} lacks {len(absent)} features that its catalogue declares: "
            f"{', '.join(absent[:MOST_NAMED])}."
        )


def _dates(column: pd.Series, name: str, path: Path) -> pd.Series:
    import pandas as pd

    try:
        days = pd.to_datetime(column, format="ISO8601")
    except (ValueError, TypeError) as error:
        raise Misused(f"{path.name}: {name} must hold dates as YYYY-MM-DD.") from error
    if days.dt.tz is not None or (days.dropna() != days.dropna().dt.normalize()).any():
        raise Misused(
            f"{path.name}: {name} must hold days, YYYY-MM-DD, without a time or a time zone."
        )
    return days


def _marks(column: pd.Series, name: str, path: Path) -> np.ndarray:
    """Return a column of marks as true and false; blank is false."""
    marks = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
    found = column.astype("object").where(column.notna(), 0).astype(str).str.lower().map(marks)
    wrong = int(found.isna().sum())
    if wrong:
        raise Misused(f"{path.name}: {wrong} rows have a {name} that is neither 0, 1 nor blank.")
    return found.to_numpy(dtype=bool)


def _numbers(frame: pd.DataFrame, features: list[str], path: Path) -> pd.DataFrame:
    texts = [name for name in features if frame[name].dtype.kind not in "biuf"]
    wrong = []
    for name in texts:
        try:
            frame[name] = frame[name].astype("Float64")
        except (ValueError, TypeError):
            wrong.append(name)
    if wrong:
        raise Misused(
            f"{path.name}: {len(wrong)} features are not numbers: {', '.join(wrong[:MOST_NAMED])}. "
            "Turn a category into one column of 0 and 1 for each of its values."
        )
    numbers = frame[features].astype("float32")
    endless = [name for name in features if np.isinf(numbers[name].to_numpy()).any()]
    if endless:
        raise Misused(
            f"{path.name}: {len(endless)} features hold infinite values: "
            f"{', '.join(endless[:MOST_NAMED])}. Leave blank what is not known."
        )
    return numbers


def _label(column: pd.Series, path: Path) -> np.ndarray:
    try:
        label = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise Misused(f"{path.name}: label must be 0, 1 or blank.") from error
    wrong = int((np.isfinite(label) & (label != 0) & (label != 1)).sum())
    if wrong:
        raise Misused(f"{path.name}: {wrong} labels are neither 0, 1 nor blank.")
    return label


def _declared(name: str, feature: TableFeature) -> Any:
    from earlyflag.features.declare import Feature

    return Feature(
        name=name,
        title=feature.title,
        sentence=feature.sentence or feature.title,
        unit=feature.unit,
        window_months=feature.window_months,
        sources=("own table",),
        group=feature.group,
        gateway=feature.gateway,
        monotone=feature.monotone,
        actionable=feature.actionable,
    )


def _groups(catalogue: TableCatalogue) -> dict[str, Any]:
    from earlyflag.features.declare import ReasonGroup

    keys = dict.fromkeys(feature.group for feature in catalogue.features.values())
    return {key: ReasonGroup(key, catalogue.groups.get(key, key.replace("_", " ").capitalize()))
            for key in keys}  # fmt: skip
