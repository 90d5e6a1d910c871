"""The OpenAPI document describes the routes around a complaint completely, and its examples are valid."""

import inspect
from typing import Any

import pytest
from pydantic import BaseModel

from complaints.api.complaints import history_schemas, promise_schemas
from complaints.api.deadlines import schemas
from complaints.api.openapi.example_files import read_examples
from complaints.use_cases.commands import complaints
from tests.api.test_openapi import DOCUMENT

EXAMPLES = read_examples("complaints.api.complaints")
DEADLINE_EXAMPLES = read_examples("complaints.api.deadlines")
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
    for module in (schemas, history_schemas, promise_schemas)
    for _, model in inspect.getmembers(module, inspect.isclass)
    if issubclass(model, BaseModel) and model is not BaseModel and "examples" in model.model_json_schema()
]


def test_the_examples_of_a_model_fit_it(subtests: pytest.Subtests) -> None:
    for model in MODELS:
        with subtests.test(model.__name__):
            for example in model.model_json_schema()["examples"]:
                model.model_validate(example)


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (complaints.AddLink, EXAMPLES["add_link"]),
        (complaints.Replan, DEADLINE_EXAMPLES["replan"]),
        (complaints.AddNote, EXAMPLES["add_note"]),
        (complaints.Acknowledge, DEADLINE_EXAMPLES["acknowledge"]),
        (complaints.MakePromise, EXAMPLES["make_promise"]),
        (schemas.SetClock, DEADLINE_EXAMPLES["set_clock"]),
        (schemas.AdvanceClock, DEADLINE_EXAMPLES["advance_clock"]),
    ],
)
def test_the_examples_of_bodies_are_accepted(model: type[BaseModel], example: dict[str, Any]) -> None:
    model.model_validate(example)


def test_every_answer_has_a_model_and_every_operation_says_what_it_does() -> None:
    operations = {
        f"{method} {path}": operation
        for path, methods in DOCUMENT["paths"].items()
        if path.startswith(PATHS)
        for method, operation in methods.items()
    }

    assert len(operations) == 21
    for name, operation in operations.items():
        assert operation["description"], name
        for status, answer in operation["responses"].items():
            models = [media for kind, media in answer["content"].items() if kind != "text/event-stream"]
            assert models, (name, status)
            assert all("$ref" in media["schema"] for media in models), (name, status)
