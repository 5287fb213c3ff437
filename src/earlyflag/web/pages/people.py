"""Accounts and machine keys, for administrators."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from earlyflag.casework import accounts, change_account, keys, make_account, make_key, revoke_key
from earlyflag.casework.webhooks import webhooks
from earlyflag.core.errors import InputInvalid, NotFound
from earlyflag.store.outbox import Standing, Webhook
from earlyflag.store.records import Account, MachineKey
from earlyflag.store.terms import AlertSource, Permission, Role, Scope
from earlyflag.web.forms import Field, Form, Option, options, read
from earlyflag.web.framing import onward, page
from earlyflag.web.pages.codes import (
    ALERT_SOURCES,
    PERMISSIONS,
    ROLE_HINTS,
    ROLES,
    SCOPES,
    YES_NO,
)
from earlyflag.web.pages.forming import FormView, submit
from earlyflag.web.pages.reports import (
    Link,
    PostButton,
    ReportView,
    Section,
    SmallForm,
    Table,
)
from earlyflag.web.site import Posted, SignedIn, Visit
from earlyflag.web.wording import day, plural

router = APIRouter(include_in_schema=False)

ROLE_FIELD = Field(
    "roles",
    "Roles",
    kind="checkboxes",
    missing="Select at least one role",
    options=options(ROLES, ROLE_HINTS),
)
PERMISSION_FIELD = Field(
    "permissions",
    "Permissions granted by name",
    kind="checkboxes",
    options=options(PERMISSIONS),
)
NEW_FIELDS = (
    Field("username", "Username", missing="Enter a username", max_length=80),
    Field("display_name", "Name as others see it", missing="Enter a name", max_length=120),
    Field(
        "password",
        "First password",
        kind="password",
        missing="Enter a first password",
        hint="12 characters or more. Three unrelated words are good.",
        autocomplete="new-password",
        max_length=256,
    ),
    ROLE_FIELD,
    PERMISSION_FIELD,
)


def _roles(account: Account) -> str:
    named = [ROLES[role] for role in sorted(account.roles)]
    return ", ".join(named + [PERMISSIONS[one] for one in sorted(account.permissions)])


@router.get("/users")
def show_users(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show every account."""
    with visit.desk() as desk:
        known = accounts(desk)
    table = Table(
        "Accounts",
        ("Name", "Username", "Roles", "May sign in", "Since"),
        tuple(
            (
                Link(one.display_name, f"/users/{one.account_id}"),
                one.username,
                _roles(one),
                "Yes" if one.is_active else "No",
                day(one.created_at),
            )
            for one in known
        ),
    )
    links = (Link("Add an account", "/users/new"), Link("Machine keys", "/keys"))
    return page(
        request, visit, "report.html", ReportView("Users", (Section("", (), table),), links=links)
    )


def _new_view(form: Form) -> FormView:
    return FormView("Add an account", form, "/users/new", "Add the account", back="/users")


@router.get("/users/new")
def ask_user(request: Request, visit: SignedIn) -> HTMLResponse:
    """Ask for a new account."""
    return page(request, visit, "form.html", _new_view(Form(NEW_FIELDS)))


@router.post("/users/new")
def keep_user(request: Request, visit: SignedIn, data: Posted) -> Response:
    """Make an account."""

    def act(form: Form) -> Response:
        with visit.desk() as desk:
            make_account(
                desk,
                form.text("username"),
                form.text("display_name"),
                form.text("password"),
                [Role(code) for code in form.chosen("roles")],
                [Permission(code) for code in form.chosen("permissions")],
            )
        return onward("/users", "account")

    return submit(request, visit, _new_view(read(NEW_FIELDS, data)), act)


def _account(visit: Visit, account_id: str) -> Account:
    with visit.desk() as desk:
        found = [one for one in accounts(desk) if one.account_id == account_id]
    if not found:
        raise NotFound("No account has this reference. Choose one from the list of users.")
    return found[0]


def _marked(field: Field, on: frozenset[str]) -> Field:
    marked = tuple(Option(o.value, o.text, o.hint, o.value in on) for o in field.options)
    return Field(field.name, field.label, field.kind, field.missing, options=marked)


def _change_fields(account: Account) -> tuple[Field, ...]:
    chosen = "yes" if account.is_active else "no"
    return (
        _marked(ROLE_FIELD, frozenset(account.roles)),
        _marked(PERMISSION_FIELD, frozenset(account.permissions)),
        Field(
            "is_active",
            "May this person sign in?",
            kind="radios",
            missing="Select whether this person may sign in",
            options=tuple(
                Option(code, text, chosen=code == chosen) for code, text in YES_NO.items()
            ),
        ),
        Field(
            "password",
            "New password (optional)",
            kind="password",
            hint="Leave it empty to keep the present one.",
            autocomplete="new-password",
            max_length=256,
        ),
    )


def _change_view(account: Account, form: Form) -> FormView:
    return FormView(
        f"Change {account.display_name}",
        form,
        f"/users/{account.account_id}",
        "Save",
        intro=("Saving ends this person's sessions, so that the change holds at once.",),
        back="/users",
    )


@router.get("/users/{account_id}")
def ask_change(request: Request, visit: SignedIn, account_id: str) -> HTMLResponse:
    """Show one account as it is, to be changed."""
    account = _account(visit, account_id)
    view = _change_view(account, Form(_change_fields(account)))
    return page(request, visit, "form.html", view)


@router.post("/users/{account_id}")
def keep_change(request: Request, visit: SignedIn, data: Posted, account_id: str) -> Response:
    """Change an account."""
    account = _account(visit, account_id)

    def act(form: Form) -> Response:
        with visit.desk() as desk:
            change_account(
                desk,
                account_id,
                roles=[Role(code) for code in form.chosen("roles")],
                permissions=[Permission(code) for code in form.chosen("permissions")],
                is_active=form.text("is_active") == "yes",
                password=form.text("password") or None,
            )
        return onward("/users", "account")

    view = _change_view(account, read(_change_fields(account), data))
    return submit(request, visit, view, act)


KEY_FIELDS = (
    Field("name", "Which system uses the key?", missing="Enter the system's name", max_length=120),
    Field(
        "scopes",
        "What may it do?",
        kind="checkboxes",
        missing="Select at least one thing that it may do",
        options=options(SCOPES),
    ),
    Field(
        "alert_source",
        "Whose alerts does it report? (only for alerts)",
        kind="select",
        options=options(ALERT_SOURCES),
    ),
    Field(
        "days",
        "Days until it expires",
        missing="Enter the days until it expires",
        hint="1 to 366",
        width="govuk-input--width-4",
        numeric=True,
        max_length=3,
    ),
)


def _key_sections(known: list[MachineKey], form: Form) -> tuple[Section, ...]:
    listed = tuple(
        Section(
            key.name,
            (
                ", ".join(SCOPES[scope] for scope in sorted(key.scopes)) + ".",
                f"Made {day(key.created_at)}. "
                + (
                    f"Revoked {day(key.revoked_at)}."
                    if key.revoked_at
                    else f"Expires {day(key.expires_at)}."
                ),
            ),
            buttons=()
            if key.revoked_at
            else (
                PostButton(
                    "Revoke",
                    f"/keys/{key.key_id}/revoke",
                    key.name,
                    classes="govuk-button--warning",
                ),
            ),
        )
        for key in known
    )
    new = Section("Make a key", small_form=SmallForm(form, "/keys", "Make the key"))
    return (*listed, new)


def _webhook_section(known: Sequence[tuple[Webhook, Standing]]) -> Section:
    """Show how messages to case systems stand: counts, and no more of an address than its host."""
    title = "Messages to case systems"
    if not known:
        return Section(title, ("No case system is told of changes.",))
    rows = tuple(
        (
            (urlsplit(hook.address).hostname or "") + ("" if hook.is_active else " (ended)"),
            f"{standing.taken:,}",
            f"{standing.waiting:,}",
            f"{standing.given_up:,}",
        )
        for hook, standing in known
    )
    headings = ("Case system", "Taken", "Waiting", "Given up")
    lost = sum(standing.given_up for _, standing in known)
    said = (
        f"{plural(lost, 'message')} given up. Mend the case system, then run: earlyflag webhooks "
        "retry" if lost else "None given up.",
    )  # fmt: skip
    return Section(title, said, Table(title, headings, rows, numeric=frozenset({1, 2, 3})))


def _keys_page(
    request: Request, visit: Visit, form: Form, intro: tuple[str, ...] = (), status: int = 200
) -> HTMLResponse:
    with visit.desk() as desk:
        known = keys(desk)
        hooks = webhooks(desk)
    sections = (*_key_sections(known, form), _webhook_section(hooks))
    view = ReportView("Machine keys", sections, intro=intro, back="/users", form=form)
    return page(request, visit, "report.html", view, status)


@router.get("/keys")
def show_keys(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show machine keys and make new ones."""
    return _keys_page(request, visit, Form(KEY_FIELDS))


@router.post("/keys")
def keep_key(request: Request, visit: SignedIn, data: Posted) -> HTMLResponse:
    """Make a key; it is shown this once."""
    form = read(KEY_FIELDS, data)
    if form.is_good and not form.text("days").isdigit():
        form = form.with_error("days", "Days until it expires must be a number, such as 90")
    if not form.is_good:
        return _keys_page(request, visit, form, status=422)
    source = form.text("alert_source")
    try:
        with visit.desk() as desk:
            secret, _key = make_key(
                desk,
                form.text("name"),
                [Scope(code) for code in form.chosen("scopes")],
                days=int(form.text("days")),
                alert_source=AlertSource(source) if source else None,
            )
    except InputInvalid as error:
        return _keys_page(
            request, visit, form.with_error(error.field or "name", str(error)), status=422
        )
    said = (f"The key is {secret}", "Copy it now: it is not shown again and is not kept here.")
    return _keys_page(request, visit, Form(KEY_FIELDS), said)


@router.post("/keys/{key_id}/revoke")
def end_key(visit: SignedIn, _data: Posted, key_id: str) -> Response:
    """End a key now."""
    with visit.desk() as desk:
        revoke_key(desk, key_id)
    return onward("/keys", "revoked")
