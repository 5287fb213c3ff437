"""From sheets of integers to the folder of contract tables, and the truth beside it.

Nothing leaves that the council's systems would not have recorded before the last cut-off: rows
known later are left out, and ends of spells, duties and closures known later are blank.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from earlyflag.core.home import write_atomically
from earlyflag.synthetic import homes as places
from earlyflag.synthetic.cases import CAUSES, RELATIONS
from earlyflag.synthetic.columns import NO_DATE, NONE, Columns
from earlyflag.synthetic.extras import OUTCOME_KINDS, monitored
from earlyflag.synthetic.months import age_in_years
from earlyflag.synthetic.person_records import PersonRecords, write_person_records
from earlyflag.synthetic.sheets import REFERENCES, Sheet
from earlyflag.synthetic.society import ETHNIC_GROUPS
from earlyflag.synthetic.tenancies import END_REASONS
from earlyflag.synthetic.world import SOURCE_WORDS, World

PERSON_PREFIXES = ("CTP", "TEN", "HLP")
PERSON_SOURCE = {"council_tax_people": 0, "tenancy_people": 1, "homelessness_cases": 2}
CHECK_CHARACTERS = "0123456789X"
TENURES = ("owned", "council", "housing_association", "private")
FREE_WORDS = {"end_reason": END_REASONS, "kind": OUTCOME_KINDS}
AGE_BANDS = ("0-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75+")
AGE_EDGES = np.array([18, 25, 35, 45, 55, 65, 75])


def write_folder(world: World, answers: Columns, out: Path, file_format: str) -> dict[str, int]:
    """Write every table and the truth; return table -> rows."""
    out.mkdir(parents=True, exist_ok=True)
    persons = write_person_records(world)
    counts = {}
    for name, sheet in world.sheets.items():
        match name:
            case "properties":
                table = _properties(world)
            case "equality_monitoring":
                table = _monitoring(world)
            case _:
                table = _table(world, sheet, persons)
        _write_table(table, out, name, file_format)
        counts[name] = table.num_rows
    _write_truth(world, answers, out / "truth")
    return counts


def _write_table(table: pa.Table, out: Path, name: str, file_format: str) -> None:
    """Write one table, in place of any earlier file of it."""
    for old in (*out.glob(f"{name}.*"), *out.glob(f"{name}-*")):
        old.unlink()
    target = out / f"{name}.{file_format}"
    sink = pa.BufferOutputStream()
    if file_format == "csv":
        pa.csv.write_csv(table, sink)
    else:
        pq.write_table(table, sink, compression="zstd")
    write_atomically(target, sink.getvalue().to_pybytes())


def _table(world: World, sheet: Sheet, persons: PersonRecords) -> pa.Table:
    """Render one sheet as the contract has it, as known before the last cut-off."""
    end = world.months.start(world.months.count)
    name = sheet.table.name
    kept = _visible(sheet, end)
    arrays: dict[str, pa.Array] = {}
    for column in sheet.table.columns:
        if column.name in ("forename", "surname", "date_of_birth"):
            arrays[column.name] = _of_person(persons, column.name, sheet.rows["person_ref"][kept])
            continue
        if column.name == "transaction_ref":
            letter = "C" if name.startswith("council") else "R"
            arrays[column.name] = _numbered(letter, np.arange(len(kept)), 9)
            continue
        values = sheet.rows[column.name][kept]
        if column.known_by is not None:
            values = _not_yet_known(sheet, column.name, column.known_by, kept, values, end)
        arrays[column.name] = _rendered(world, sheet, column, values)
    return pa.table(arrays)


def _visible(sheet: Sheet, end: int) -> np.ndarray:
    """Return the rows known before the last cut-off."""
    names = sheet.table.column_names
    known = "known_on" if "known_on" in names else sheet.table.dated_by
    if known is None:
        return np.arange(len(sheet.rows))
    return np.flatnonzero(sheet.rows[known] < end)


def _not_yet_known(sheet, name, known_by, kept, values, end) -> np.ndarray:
    """Blank what a later date than the last cut-off would make known."""
    known = sheet.rows[known_by][kept]
    if known_by == "valid_to_known_on" and name == "valid_to":
        known = np.where(known == NO_DATE, sheet.rows["valid_to"][kept], known)
    later = known >= end
    match name:
        case "duty":
            blank = sheet.code("duty", "none")
        case "outcome":
            blank = sheet.code("outcome", "open")
        case _ if values.dtype == np.int32 and sheet.table.column(name).kind == "date":
            blank = NO_DATE
        case _:
            blank = NONE
    return np.where(later, blank, values)


def _rendered(world, sheet, column, values) -> pa.Array:
    """Render one column of integers as text, dates, codes or numbers."""
    match column.kind:
        case "date":
            return _days(values)
        case "code":
            return _words(list(column.codes), values)
        case "boolean":
            return pa.array(values)
        case "text":
            return _text(world, sheet.table.name, column.name, values)
        case kind:
            blank = (values == NONE) & column.nullable
            return pa.array(values, pa.int64() if kind == "pence" else pa.int32(), mask=blank)


def _text(world: World, table: str, name: str, values: np.ndarray) -> pa.Array:
    """Render row numbers as the text of what they name."""
    match name:
        case "account_ref":
            return _account_refs(values)
        case "person_ref":
            source = PERSON_SOURCE.get(table)
            sources = world.records["source"][values] if source is None else source
            return person_refs(values, np.broadcast_to(sources, len(values)))
        case "uprn" | "last_settled_uprn":
            return _uprns(world, values, 12 if table == "tenancies" else 0)
        case "last_settled_postcode":
            return _loose_postcodes(world, values)
        case "end_reason" | "kind":
            return _words(list(FREE_WORDS[name]), values)
        case _:
            return _references(name, values)


def _words(words: list[str], positions: np.ndarray) -> pa.Array:
    """Render positions as words; `NONE` as blank."""
    indices = pa.array(positions, pa.int32(), mask=positions < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string())).cast(pa.string())


def _numbered(prefix: str, values: np.ndarray, digits: int) -> pa.Array:
    """Render numbers as references of one length; `NONE` as blank."""
    numbers = pa.array(values, pa.int64(), mask=values == NONE)
    padded = pc.utf8_lpad(numbers.cast(pa.string()), digits, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), padded, pa.scalar(""))


def _references(name: str, values: np.ndarray) -> pa.Array:
    prefix, digits = REFERENCES[name]
    return _numbered(prefix, values, digits)


def _account_refs(values: np.ndarray) -> pa.Array:
    """Render account numbers with their check character, which can be an X."""
    check = _words(list(CHECK_CHARACTERS), np.where(values == NONE, NONE, (values * 7 + 5) % 11))
    prefix, digits = REFERENCES["account_ref"]
    return pc.binary_join_element_wise(_numbered(prefix, values, digits), check, pa.scalar(""))


def person_refs(records: np.ndarray, sources: np.ndarray) -> pa.Array:
    """Render records as the references that their source system gives."""
    prefix = _words(list(PERSON_PREFIXES), np.where(records == NONE, NONE, sources))
    shuffled = np.where(
        records == NONE, NONE, (records.astype(np.int64) * 7919 + 104729) % 99999989
    )
    return pc.binary_join_element_wise(prefix, _numbered("", shuffled, 8), pa.scalar(""))


def _uprns(world: World, rows: np.ndarray, digits: int = 0) -> pa.Array:
    """Render homes as UPRNs; the housing system pads them with zeros, the others do not."""
    numbers = places.uprns(np.maximum(rows, 0), world.homes)
    text = pa.array(numbers, pa.int64(), mask=rows == NONE).cast(pa.string())
    return pc.utf8_lpad(text, digits, "0")


def _loose_postcodes(world: World, rows: np.ndarray) -> pa.Array:
    """Render homes' postcodes as caseworkers type them: a few in lower case or without space."""
    written = places.postcodes(world.homes, rows)
    draw = world.rng.random(len(rows))
    for row in np.flatnonzero(draw < 0.12):
        written[row] = written[row].replace(" ", "") if draw[row] < 0.08 else written[row].lower()
    return pa.array(written, pa.string(), mask=rows == NONE)


def _of_person(persons: PersonRecords, name: str, records: np.ndarray) -> pa.Array:
    if name == "date_of_birth":
        born = persons.born[records]
        return pa.array(born, pa.int32(), mask=born == NO_DATE).cast(pa.date32())
    return pa.array(getattr(persons, name)[records], pa.string())


def _properties(world: World) -> pa.Table:
    homes = world.homes
    rows = np.flatnonzero(homes["house"] < 0)
    ward = homes["ward"][rows]
    area = np.char.add("E01990", np.char.zfill((homes["postcode"][rows] // 45).astype(str), 3))
    return pa.table(
        {
            "uprn": _uprns(world, rows),
            "address": pa.array(places.addresses(homes, rows), pa.string()),
            "postcode": pa.array(places.postcodes(homes, rows), pa.string()),
            "ward_code": pa.array(np.char.add("E059900", np.char.zfill(ward.astype(str), 2))),
            "lsoa_code": pa.array(area),
            "council_tax_band": _words(list(places.BANDS), homes["band"][rows]),
            "bedrooms": pa.array(homes["bedrooms"][rows].astype(np.int32)),
        }
    )


def _monitoring(world: World) -> pa.Table:
    """Write what people told about themselves, where they did; some left questions blank."""
    rng, people = world.rng, world.people
    rows = monitored(world)
    person, source = world.records["person"][rows], world.records["source"][rows]
    answered = rng.random((3, len(rows))) < 0.88
    end = world.months.start(world.months.count)
    band = np.searchsorted(AGE_EDGES, age_in_years(people["born"][person], end), side="right")
    return pa.table(
        {
            "source": _words(list(SOURCE_WORDS), source),
            "person_ref": person_refs(rows, source),
            "ethnic_group": _words(
                list(ETHNIC_GROUPS), np.where(answered[0], people["ethnic"][person], NONE)
            ),
            "sex": _words(["female", "male"], np.where(answered[1], people["male"][person], NONE)),
            "disability": _words(
                ["no", "yes"], np.where(answered[2], people["disabled"][person], NONE)
            ),
            "age_band": _words(list(AGE_BANDS), band),
        }
    )


def _write_truth(world: World, answers: Columns, out: Path) -> None:
    """Write who is who, who lived with whom, and what the oracle says."""
    out.mkdir(parents=True, exist_ok=True)
    records, members, cases = world.records, world.members, world.case_truth
    tables = {
        "people": {
            "source": _words(list(SOURCE_WORDS), records["source"]),
            "person_ref": person_refs(np.arange(len(records)), records["source"]),
            "true_person_id": _numbered("P", records["person"], 8),
        },
        "membership": {
            "true_household_id": _numbered("H", members["household"], 7),
            "true_person_id": _numbered("P", members["person"], 8),
            "valid_from": _days(members["since"]),
            "valid_to": _days(members["until"]),
        },
        "cases": {
            "case_ref": _references("case_ref", np.arange(len(cases))),
            "true_household_id": _numbered("H", cases["household"], 7),
            "relation": _words(list(RELATIONS), cases["relation"]),
            "cause": _words(list(CAUSES), cases["cause"]),
        },
        "homes": {
            "uprn": _uprns(world, np.arange(len(world.homes))),
            "tenure": _words(list(TENURES), world.homes["tenure"]),
        },
        "oracle": {
            "true_household_id": _numbered("H", answers["household"], 7),
            "as_of": _days(answers["as_of"]),
            "uprn": _uprns(world, answers["home"]),
            "account_ref": _account_refs(answers["account"]),
            "tenancy_ref": _references("tenancy_ref", answers["tenancy"]),
            "p6": pa.array(answers["p6"]),
            "p12": pa.array(answers["p12"]),
        },
    }  # fmt: skip
    for name, columns in tables.items():
        _write_table(pa.table(columns), out, name, "parquet")


def _days(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.int32(), mask=values == NO_DATE).cast(pa.date32())
