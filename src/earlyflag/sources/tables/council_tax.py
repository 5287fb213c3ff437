"""Properties and council tax: accounts, their people, ledger and recovery."""

from __future__ import annotations

from earlyflag.sources.declare import (
    Column,
    Table,
    code,
    date_of_birth,
    day,
    known_on,
    pence,
    person_name,
    reference,
    spell_end,
    spell_start,
    uprn,
)

PROPERTIES = Table(
    "properties",
    "Every home of the borough, by UPRN.",
    (
        uprn(),
        Column("address", "text", "Address on one line.", sensitivity="personal"),
        Column("postcode", "text", "Postcode.", sensitivity="personal", form="postcode"),
        Column("ward_code", "text", "Ward, as the statistics office codes it.", True),
        Column("lsoa_code", "text", "Lower layer super output area.", True),
        code("council_tax_band", "Council tax band.", "A|B|C|D|E|F|G|H", nullable=True),
        Column("bedrooms", "integer", "Number of bedrooms.", True, minimum=0, maximum=99),
    ),
    key=("uprn",),
    dated_by=None,
)

COUNCIL_TAX_ACCOUNTS = Table(
    "council_tax_accounts",
    "Council tax accounts; a change of any attribute starts a new row.",
    (
        reference("account_ref", "Council tax account reference."),
        spell_start(),
        *spell_end(),
        uprn(),
        code("payment_method", "How the bill is paid.",
             "direct_debit|standing_order|card|cash|attachment|none"),
        Column("instalments", "integer", "Instalments a year: 10 or 12.", minimum=10, maximum=12,
               codes=("10", "12")),
        code("discount", "Discount in force.",
             "none|single_person|all_disregarded|disabled_band|care_leaver|empty_premium|second_home"),
        code("exemption_class", "Class of exemption, B to W.",
             "B|C|D|E|F|G|H|I|J|K|L|M|N|O|P|Q|R|S|T|U|V|W", nullable=True),
    ),
    key=("account_ref", "valid_from"),
    spell=True,
    dated_by="valid_from",
    required=True,
)  # fmt: skip

COUNCIL_TAX_PEOPLE = Table(
    "council_tax_people",
    "Who is liable on an account, and when.",
    (
        reference("account_ref", "Council tax account reference."),
        reference("person_ref", "Reference of the person inside the council tax system."),
        spell_start(),
        person_name("forename", "Forename.", nullable=True),
        person_name("surname", "Surname."),
        date_of_birth(),
        code("role", "Lead or joint liability.", "lead|joint"),
        *spell_end(),
    ),
    key=("account_ref", "person_ref", "valid_from"),
    spell=True,
    dated_by="valid_from",
)

COUNCIL_TAX_TRANSACTIONS = Table(
    "council_tax_transactions",
    "The council tax ledger. A charge is one instalment: due on `happened_on`, billed on "
    "`known_on`.",
    (
        reference("transaction_ref", "Reference of the ledger row."),
        reference("account_ref", "Council tax account reference."),
        day("happened_on", "Day the amount fell due or was posted."),
        known_on("happened_on"),
        code("kind", "What the row is; `reduction` is council tax support credited.",
             "charge|payment|failed_payment|reduction|discount|refund|costs|write_off|adjustment",
             benefit_codes="reduction"),
        pence("amount_pence", "Positive is owed by the household, negative reduces what is owed."),
    ),
    key=("transaction_ref",),
)  # fmt: skip

COUNCIL_TAX_RECOVERY = Table(
    "council_tax_recovery",
    "Steps of the recovery ladder.",
    (
        reference("account_ref", "Council tax account reference."),
        day("happened_on", "Day of the step."),
        known_on("happened_on"),
        code("stage", "The step.",
             "reminder|second_reminder|final_notice|summons|liability_order|arrangement_made|"
             "arrangement_broken|attachment|enforcement_agent|charging_order|committal|cleared"),
        pence("balance_pence", "Balance at the step; positive is owed."),
    ),
    key=("account_ref", "happened_on", "stage"),
)  # fmt: skip

TABLES = (
    PROPERTIES,
    COUNCIL_TAX_ACCOUNTS,
    COUNCIL_TAX_PEOPLE,
    COUNCIL_TAX_TRANSACTIONS,
    COUNCIL_TAX_RECOVERY,
)
