"""What the OpenAPI document says of the routes beside the complaint: complete, and its examples hold."""

import inspect
from typing import Any

import pytest
from pydantic import BaseModel

from complaints.api import activity_examples as examples
from complaints.api import activity_schemas
from complaints.api.app import create_app
from complaints.handling import commands
from complaints.handling.engine import Engine
from complaints.wiring import wall_now

PATHS = (
    "/v1/escalations",
    "/v1/changes",
    "/v1/followups",
    "/v1/lifecycle",
    "/v1/deadlines",
    "/v1/sandbox",
    "/v1/complaints/{reference}/timeline",
    "/v1/complaints/{reference}/notes",
    "/v1/complaints/{reference}/links",
    "/v1/complaints/{reference}/promises",
    "/v1/complaints/{reference}/replan",
    "/v1/complaints/{reference}/deadlines",
)
MODELS = [
    model
    for _, model in inspect.getmembers(activity_schemas, inspect.isclass)
    if issubclass(model, BaseModel) and model is not BaseModel and "examples" in model.model_json_schema()
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_examples_of_a_model_fit_it(model: type[BaseModel]) -> None:
    for example in model.model_json_schema()["examples"]:
        model.model_validate(example)


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (commands.AddLink, examples.LINK),
        (commands.Replan, examples.REPLAN),
        (commands.AddNote, examples.NOTE),
        (commands.Acknowledge, examples.ACKNOWLEDGE),
        (commands.MakePromise, examples.MAKE_PROMISE),
        (activity_schemas.SetClock, examples.SET_CLOCK),
        (activity_schemas.AdvanceClock, examples.ADVANCE_CLOCK),
    ],
)
def test_the_examples_of_bodies_are_accepted(model: type[BaseModel], example: dict[str, Any]) -> None:
    model.model_validate(example)


def test_every_answer_has_a_model_and_every_operation_says_what_it_does(engine: Engine) -> None:
    document = create_app(engine, wall=wall_now).openapi()
    operations = {
        f"{method} {path}": operation
        for path, methods in document["paths"].items()
        if path.startswith(PATHS)
        for method, operation in methods.items()
    }

    assert len(operations) == 20
    for name, operation in operations.items():
        assert operation["description"], name
        for status, answer in operation["responses"].items():
            content = answer["content"].values()
            assert all("$ref" in media["schema"] for media in content), (name, status)
