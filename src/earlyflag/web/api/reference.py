"""The API's reference page, grown from its OpenAPI description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from earlyflag.web.access import access_to

HEADING = """\
# API reference

Generated from the OpenAPI description that the service serves at `/api/openapi.json`;
`python -m earlyflag.web.api.reference` writes it again. How to use it:
[Use the API](../how-to/use-the-api.md).
"""


def api_description() -> dict[str, Any]:
    """Return the OpenAPI description of the API alone, without a database or settings."""
    from earlyflag.web.api import ROUTERS

    app = FastAPI(title="earlyflag", version="1")
    for router in ROUTERS:
        app.include_router(router)
    return app.openapi()


def _open_to(method: str, path: str) -> str:
    access = access_to(method, path)
    if access.public:
        return "everybody"
    return ", ".join(f"`{action.value}`" for action in sorted(access.actions))


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {method} {path}\n"
    yield f"{operation.get('description', '').strip()}\n"
    yield f"Open to: {_open_to(method, path)}.\n"
    parameters = operation.get("parameters", [])
    if parameters:
        yield "| name | where | needed | meaning |\n|---|---|---|---|"
        for one in parameters:
            needed = "yes" if one.get("required") else "no"
            meaning = one.get("description", "").replace("\n", " ").replace("|", "\\|")
            yield f"| `{one['name']}` | {one['in']} | {needed} | {meaning} |"
        yield ""
    yield f"Answers: {', '.join(sorted(operation['responses']))}.\n"


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    needed = set(schema.get("required", ()))
    yield "| field | kind | needed |\n|---|---|---|"
    for name, field in schema["properties"].items():
        yield f"| `{name}` | {_kind(field)} | {'yes' if name in needed else 'no'} |"
    yield ""


def _kind(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return f"[{field['$ref'].rsplit('/', 1)[-1]}](#{field['$ref'].rsplit('/', 1)[-1].lower()})"
    if "anyOf" in field:
        return " or ".join(_kind(one) for one in field["anyOf"])
    if field.get("type") == "array":
        return f"list of {_kind(field.get('items', {}))}"
    return str(field.get("format") or field.get("type") or "any")


def markdown() -> str:
    """Return the reference as Markdown."""
    description = api_description()
    lines = [HEADING, "## Operations\n"]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            lines += _operation(method.upper(), path, operation)
    lines.append("## Schemas\n")
    for name, schema in sorted(description["components"]["schemas"].items()):
        lines.append(f"### {name}\n")
        if schema.get("description"):
            lines.append(schema["description"].strip() + "\n")
        if schema.get("enum"):
            lines.append("One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + ".\n")
        elif schema.get("properties"):
            lines += _fields(schema)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    from pathlib import Path

    Path("docs/reference/api.md").write_text(markdown(), encoding="utf-8")
