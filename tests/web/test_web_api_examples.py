"""Everything that the API takes or gives is shown by an example that is valid."""

from __future__ import annotations

import json
import math

import pytest
from pydantic import BaseModel

from earlyflag.web.api.examples import EXAMPLES
from earlyflag.web.api.schemas import Given, Sent
from tests.web.conftest import World

MODELS: dict[str, type[BaseModel]] = {
    model.__name__: model for base in (Sent, Given) for model in base.__subclasses__()
}


def test_every_schema_with_fields_has_its_example(world: World) -> None:
    schemas = world.client().get("/api/openapi.json").json()["components"]["schemas"]
    shown = {name: schema for name, schema in schemas.items() if "properties" in schema}
    assert shown
    assert {name for name, schema in shown.items() if not schema.get("examples")} == set()
    assert set(EXAMPLES) == set(shown)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_is_what_its_schema_says(name: str) -> None:
    MODELS[name].model_validate_json(json.dumps(EXAMPLES[name]))


@pytest.mark.parametrize("name", ["ScoreOut", "RowScore"])
def test_the_figures_of_an_example_add_up(name: str) -> None:
    score = EXAMPLES[name]
    total = score["base_log_odds"] + sum(reason["contribution"] for reason in score["reasons"])
    assert total == pytest.approx(score["log_odds"], abs=1e-9)
    assert 1 / (1 + math.exp(-total)) == pytest.approx(score["probability"], abs=5e-5)


def test_every_operation_with_a_body_tells_of_bodies_that_cannot_be_read(world: World) -> None:
    paths = world.client().get("/api/openapi.json").json()["paths"]
    silent = [
        (method, path)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "requestBody" in operation and "400" not in operation["responses"]
    ]
    assert silent == []
