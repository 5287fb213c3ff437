"""Mappings: what they may say, and the two vendor formats in exactly their shapes."""

from __future__ import annotations

import csv
import gzip
from datetime import date
from pathlib import Path

import duckdb
import pytest

from earlyflag.core.errors import ExtractRejected, MappingInvalid
from earlyflag.core.home import Home
from earlyflag.sources import bundled, ingest, load_mapping
from earlyflag.sources.mapping import parse_mapping
from earlyflag.sources.store import Tables, read_manifest
from tests.factories import lawful_bases, write_extracts


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "home").open()


def write(folder: Path, name: str, text: str, *, packed: bool = False) -> None:
    folder.mkdir(exist_ok=True)
    content = text.encode()
    (folder / name).write_bytes(gzip.compress(content) if packed else content)


def rows(home: Home, query: str) -> list[tuple]:
    con = duckdb.connect()
    Tables(home.tables, read_manifest(home.tables)).register(con)
    return con.execute(query).fetchall()


RENT = {
    "accounts": "AccountReference,TenureType,TenureTypeCode,TenancyStartDate,TenancyEndDate,"
    "LocalAuthority,HousingOfficerName,Patch,BreathingSpace,BreathingSpaceEndDate\n"
    "1234567/01,Secure,SEC,2015-06-01,,Borough,Officer,N1,N,\n"
    "7654321/02,Introductory,INT,2023-02-06,2024-03-03,Borough,Officer,N1,Y,2024-01-31\n",
    "arrangements": "AccountReference,AgreementStartDate,AgreementFrequency,AgreementCode,"
    "AgreementAmount,FirstInstallmentDueDate\n"
    "1234567/01,2024-02-01,Weekly,C,5.00,2024-02-08\n7654321/02,2023-09-01,Monthly,N,20,2023-10-01\n",
    "tenants": "AccountReference,Title,FirstName,LastName\n1234567/01,Ms,Ada,Example\n",
    "balances": "AccountReference,CurrentBalance,BalanceDate\n1234567/01,312.55,2024-03-31\n",
    "actions": "AccountReference,ActionCode,ActionDate,ActionSeq\n"
    "1234567/01,NOSP,2024-01-10,1\n1234567/01,CORT,2024-02-20,2\n1234567/01,UCC,2024-02-21,3\n"
    "7654321/02,IUPO,2023-12-01,1\n7654321/02,WOA,2024-01-20,2\n7654321/02,EVIC,2024-03-03,3\n",
    "transactions": "AccountReference,TransactionID,TransactionDate,TransactionPostDate,"
    "TransactionCode,TransactionAmount\n"
    + "".join(
        f"1234567/01,{n},2024-01-{n:02d},2024-01-{n + 1:02d},{code},{amount}\n"
        for n, (code, amount) in enumerate(
            [("DBR", "112.40"), ("DTA", "90"), ("DSC", "4.10"), ("DCC", "355.00"), ("DWR", "8.00"),
             ("RHB", "-50.25"), ("RUC", "-60"), ("RDP", "-3.70"), ("RDD", "-20.00"),
             ("RDN", "20.00"), ("RPY", '"-1,020.00"'), ("RRC", "10"), ("WOF", "-9.99")], start=1
        )
    )
    + "7654321/02,99,2024-01-08,2024-01-08,DBR,101.10\n",
}  # fmt: skip


def test_the_six_file_rent_export_is_read_as_it_comes(home, tmp_path):
    for part, text in RENT.items():
        write(tmp_path / "x", f"rent.{part}20240401.csv.gz", text, packed=True)
    summary = ingest(tmp_path / "x", home, bases=lawful_bases(), mapping="rent-export")

    assert (summary.delivered_on, summary.delivered_by) == (date(2024, 4, 1), "file names")
    assert {name: (t.read, t.accepted, t.set_aside) for name, t in summary.tables.items()} == {
        "rent_transactions": (14, 14, 0),
        "tenancy_events": (8, 8, 2),
    }
    assert "tenancies: not read from accounts" in summary.warnings[0]
    assert summary.unread_files == (
        "rent.balances20240401.csv.gz",
        "rent.tenants20240401.csv.gz",
    )
    assert rows(home, "SELECT kind, amount_pence FROM rent_transactions "
                "WHERE transaction_ref IN ('1', '11') ORDER BY 1") == [
        ("payment", -102_000), ("rent", 11_240),
    ]  # fmt: skip
    assert rows(home, "SELECT happened_on, known_on FROM rent_transactions WHERE transaction_ref "
                "= '6'") == [(date(2024, 1, 6), date(2024, 1, 7))]  # fmt: skip
    assert rows(home, "SELECT kind FROM tenancy_events ORDER BY happened_on") == [
        ("arrangement_made",), ("possession_order",), ("notice_seeking_possession",),
        ("warrant",), ("breathing_space",), ("arrangement_made",), ("court_application",),
        ("eviction",),
    ]  # fmt: skip
    assert rows(home, "SELECT tenancy_ref, happened_on, known_on FROM tenancy_events "
                "WHERE kind = 'breathing_space'") == [
        ("7654321/02", date(2024, 1, 31), date(2024, 1, 31)),
    ]  # fmt: skip


def test_the_rent_export_gives_tenancies_where_their_uprns_are_delivered_beside_it(home, tmp_path):
    for part, text in RENT.items():
        write(tmp_path / "x", f"rent.{part}20240401.csv.gz", text, packed=True)
    write(tmp_path / "x", "tenancy_uprn.csv",
          "AccountReference,UPRN\n1234567/01,5001\n7654321/02,5002\n")  # fmt: skip
    summary = ingest(tmp_path / "x", home, bases=lawful_bases(), mapping="rent-export")

    assert summary.tables["tenancies"].accepted == 2
    assert rows(home, "SELECT tenancy_ref, uprn, tenancy_type, weekly_rent_pence, valid_to "
                "FROM tenancies ORDER BY 1") == [
        ("1234567/01", "000000005001", "secure", 9_000, None),
        ("7654321/02", "000000005002", "introductory", 10_110, date(2024, 3, 3)),
    ]  # fmt: skip


ACADEMY = {
    "ctaccount": "account_ref,account_cd,lead_liab_title,lead_liab_name,lead_liab_forename,"
    "lead_liab_surname,addr1,addr2,addr3,addr4,postcode,paymeth_code\n"
    "30000001,X,MS,\"COOKE,MS NADY\",,,1 ACACIA AVENUE,,,,N16 5ZZ,DDMON\n"
    "30000002,4,MR,\"BAKER,MR TOM\",TOM,BAKER,2 ACACIA AVENUE,,,,N16 5ZZ,CASHM\n",
    "ctproperty": "property_ref,addr1,addr2,addr3,addr4,postcode\n"
    "000123,1 ACACIA AVENUE,LONDON,,,N16 5ZZ\n000124,2 ACACIA AVENUE,LONDON,,,n165zz\n",
    "ctoccupation": "account_ref,property_ref,vacation_date\n"
    "30000001,000123,\n30000002,000124,2024-05-31\n",
    "ctnotice": "account_ref,bill_no,notice_type,notice_from,notice_to,notice_issued,reason,"
    "amt_benefit,amt_costs,amt_debit,amt_penalties,amt_refunds,amt_remit,amt_write_off,"
    "notice_balance,live_ind\n"
    "30000001,B1,BILL,2023-04-01,2024-03-31,2023-03-10,,350.00,0.00,1400.00,0,0,0,0,1050.00,1\n"
    "30000001,B2,BILL,2024-04-01,2025-03-31,2024-03-11,,0.00,117.50,1450.00,0,0,0,0,1567.50,1\n"
    "30000002,B3,BILL,2023-06-12,2024-03-31,2023-06-20,,0.00,0.00,900.00,0,0,0,0,900.00,1\n"
    "30000002,B4,SM,2023-06-12,2024-03-31,2023-09-20,,0.00,0.00,900.00,0,0,0,0,900.00,0\n",
    "cttransaction": "account_ref,process_date,tran_amount,tran_code\n"
    "30000001,2023-05-02,-105.00,10\n30000001,2023-05-02,-105.00,10\n30000002,2023-07-01,25.00,20\n",
    "cttrancode": "tran_code,tran_desc\n10,Direct Debit Payment\n20,Refund to Bank\n",
    "hbctaxclaim": "claim_id,ctax_ref\nCL1,30000001X\n",
}  # fmt: skip


def test_academy_tables_are_read_as_they_come(home, tmp_path):
    for table, text in ACADEMY.items():
        write(tmp_path / "x", f"{table}.csv", text)
    summary = ingest(tmp_path / "x", home, bases=lawful_bases(), mapping="academy-council-tax")

    assert {n: (t.read, t.accepted, t.rejected) for n, t in summary.tables.items()} == {
        "properties": (2, 2, 0),
        "council_tax_accounts": (2, 2, 0),
        "council_tax_people": (2, 2, 0),
        "council_tax_transactions": (8, 8, 0),
        "council_tax_recovery": (1, 1, 0),
    }
    assert summary.unread_files == ("hbctaxclaim.csv",)
    assert rows(home, "SELECT account_ref, valid_from, valid_to, uprn, payment_method "
                "FROM council_tax_accounts ORDER BY 1") == [
        ("30000001X", date(2023, 4, 1), None, "000000000123", "direct_debit"),
        ("300000024", date(2023, 6, 12), date(2024, 5, 31), "000000000124", "cash"),
    ]  # fmt: skip
    assert rows(home, "SELECT surname, forename FROM council_tax_people ORDER BY 1") == [
        ("BAKER", "TOM"), ("COOKE", "NADY"),
    ]  # fmt: skip
    assert rows(home, "SELECT transaction_ref, kind, amount_pence FROM council_tax_transactions "
                "WHERE account_ref = '30000001X' ORDER BY 1") == [
        ("30000001/2023-05-02/10/-105.00/1", "payment", -10_500),
        ("30000001/2023-05-02/10/-105.00/2", "payment", -10_500),
        ("B1/charge", "charge", 140_000), ("B1/reduction", "reduction", -35_000),
        ("B2/charge", "charge", 145_000), ("B2/costs", "costs", 11_750),
    ]  # fmt: skip
    assert rows(home, "SELECT address, postcode FROM properties ORDER BY uprn")[1] == (
        "2 ACACIA AVENUE, LONDON", "N16 5ZZ"
    )  # fmt: skip


def test_academy_properties_take_the_national_number_where_it_is_delivered(home, tmp_path):
    for table, text in ACADEMY.items():
        write(tmp_path / "x", f"{table}.csv", text)
    write(tmp_path / "x", "property_uprn.csv", "property_ref,uprn\n000123,100023336956\n")
    ingest(tmp_path / "x", home, bases=lawful_bases(), mapping="academy-council-tax")

    assert rows(home, "SELECT uprn FROM council_tax_accounts ORDER BY account_ref") == [
        ("100023336956",), ("000000000124",),
    ]  # fmt: skip


def test_academy_notices_with_blank_amounts_are_no_reductions_and_no_costs(home, tmp_path):
    for table, text in ACADEMY.items():
        blank = text.replace(",,350.00,0.00,1400.00,0,0,0,0,", ",,,,1400.00,,,,,")
        write(tmp_path / "x", f"{table}.csv.gz", blank, packed=True)
    summary = ingest(tmp_path / "x", home, bases=lawful_bases(), mapping="academy-council-tax")

    assert summary.tables["council_tax_transactions"].rejected == 0
    assert rows(home, "SELECT transaction_ref FROM council_tax_transactions "
                "WHERE transaction_ref LIKE 'B1/%'") == [("B1/charge",)]  # fmt: skip


def test_a_row_that_two_feeds_reject_says_its_own_text_twice(home, tmp_path):
    for table, text in ACADEMY.items():
        write(tmp_path / "x", f"{table}.csv", text.replace("350.00,0.00,1400.00", "many,some,1"))
    summary = ingest(tmp_path / "x", home, bases=lawful_bases(), mapping="academy-council-tax",
                     reject_share_limit=1)  # fmt: skip
    with (summary.run_folder / "rejects" / "council_tax_transactions.csv").open() as stream:
        rejects = list(csv.DictReader(stream))

    assert [(r["line"], r["rule"], r["raw"][:11]) for r in rejects] == [
        ("2", "money", "30000001,B1")
    ] * 2


def test_a_value_that_another_file_has_twice_and_differently_is_rejected(home, tmp_path):
    for table, text in ACADEMY.items():
        write(tmp_path / "x", f"{table}.csv", text)
    write(tmp_path / "x", "property_uprn.csv", "property_ref,uprn\n000123,1\n000123,2\n")
    summary = ingest(tmp_path / "x", home, bases=lawful_bases(), mapping="academy-council-tax",
                     reject_share_limit=1)  # fmt: skip

    assert dict(summary.tables["properties"].rules) == {"uprn:lookup": 1}


def test_a_mapping_beside_the_extracts_is_used_and_renames_one_column_only(home, tmp_path):
    folder = write_extracts(tmp_path / "x", council_tax_accounts=[{}])
    path = folder / "council_tax_accounts.csv"
    path.write_text(path.read_text().replace("account_ref", "ACCT NO"))
    with pytest.raises(ExtractRejected, match="account_ref"):
        ingest(folder, home, bases=lawful_bases())
    write(folder, "mapping.yaml", "supplier: S\ntables:\n  council_tax_accounts:\n"
          "    columns: {account_ref: ACCT NO}\n")  # fmt: skip

    assert ingest(folder, home, bases=lawful_bases()).accepted == 1


def read_column(home: Home, tmp_path: Path, column: str, how: str, header: str, cell: str):
    """Ingest one rent transaction, one column of it mapped, and return the value or the rule."""
    cells = {"transaction_ref": "R1", "tenancy_ref": "T1", "happened_on": "2024-01-01",
             "kind": "rent", "amount_pence": "1"}  # fmt: skip
    del cells[column]
    folder = tmp_path / "x"
    write(folder, "rent_transactions.csv",
          f"{','.join(cells)},{header}\n{','.join(cells.values())},{cell}\n")  # fmt: skip
    write(folder, "mapping.yaml", "supplier: S\ntables:\n  rent_transactions:\n    columns:\n"
          f"      {column}: {how}\n")  # fmt: skip
    summary = ingest(folder, home, bases=lawful_bases(), reject_share_limit=1)
    rules = summary.tables["rent_transactions"].rules
    return (
        next(iter(rules)) if rules else rows(home, f"SELECT {column} FROM rent_transactions")[0][0]
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [("\"£1,234.56CR\"", -123_456), (" -£12.00", -1_200), ("£-12", -1_200), ("12.5", 1_250),
     ("(7.50)", -750), ("7.50-", -750), ("7.50 DR", 750), ("0", 0), ("\"1,234,567\"", 123_456_700),
     ("£12.345", "amount_pence:money"), ("\"1,23\"", "amount_pence:money"),
     ("-7.50CR", "amount_pence:money"), ("--7", "amount_pence:money"), ("7)", "amount_pence:money"),
     ("seven", "amount_pence:money"), ("1e5", "amount_pence:money"), ("", "amount_pence:missing")],
)  # fmt: skip
def test_money_in_pounds_is_read_or_refused(home, tmp_path, written, value):
    assert read_column(home, tmp_path, "amount_pence", "{from: AMT, money: pounds}", "AMT",
                       written) == value  # fmt: skip


@pytest.mark.parametrize(
    ("how", "written", "value"),
    [("{from: D, date: '%d/%m/%y'}", "01/04/19", date(2019, 4, 1)),
     ("{from: D, date: '%d.%m.%Y'}", "29.02.2024", date(2024, 2, 29)),
     ("{from: D, date: '%d.%m.%Y'}", "29.02.2019", "happened_on:date"),
     ("{from: D, date: '%d/%m/%y', latest_year: 2026}", "01/04/45", date(1945, 4, 1)),
     ("{from: D, date: [iso, '%d/%m/%Y']}", "2024-05-06", date(2024, 5, 6)),
     ("D", "01/04/19", "happened_on:date"), ("D", "2024-1-1", "happened_on:date")],
)  # fmt: skip
def test_a_date_is_read_only_by_a_declared_format(home, tmp_path, how, written, value):
    assert read_column(home, tmp_path, "happened_on", how, "D", written) == value


@pytest.mark.parametrize(
    ("how", "written", "value"),
    [("{from: K, codes: {Y: payment, on: rent}}", "Y", "payment"),
     ("{from: K, codes: {Y: payment, on: rent}}", "on", "rent"),
     ("{from: K, codes: {Y: payment}}", "Z", "kind:code"),
     ("{from: K, codes: {Y: payment}, otherwise: adjustment}", "Z", "adjustment"),
     ("{from: K, patterns: {'(?i)direct.*': payment}}", "Direct Debit", "payment"),
     ("{constant: refund}", "", "refund")],
)  # fmt: skip
def test_codes_are_mapped_and_unknown_ones_rejected(home, tmp_path, how, written, value):
    assert read_column(home, tmp_path, "kind", how, "K", written) == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("", "empty"), ("a: [", "not YAML"), ("supplier: S\ntables: {nothing: {}}", "no such table"),
     ("supplier: S\ntables: {benefits: {columns: {colour: X}}}", "no column colour"),
     ("supplier: S\ntables: {benefits: {input: x}}", "inputs has no x"),
     ("supplier: S\ntables: {benefits: {columns: {kind: {from: K, codes: {A: gift}}}}}", "gift"),
     ("supplier: S\ntables: {benefits: {columns: {kind: {from: K, constant: c}}}}", "exactly one"),
     ("supplier: S\ntables: {benefits: {columns: {kind: {from: K, date: iso}}}}", "date columns"),
     ("supplier: S\ntables: {benefits: {colums: {}}}", "Extra inputs"),
     ("supplier: S\ntables: {benefits: {columns: {kind: {from: K, split: {pattern: '('}}}}}",
      "regular expression")],
)  # fmt: skip
def test_a_wrong_mapping_is_refused_with_its_place(text, complaint):
    with pytest.raises(MappingInvalid, match=complaint) as refused:
        parse_mapping(text, "m.yaml")

    assert refused.value.exit_code == 11


def test_the_mappings_that_come_with_the_package_are_named_when_another_is_asked_for():
    assert bundled() == ("academy-council-tax", "rent-export")
    with pytest.raises(MappingInvalid, match="academy-council-tax, rent-export"):
        load_mapping("northgate")
