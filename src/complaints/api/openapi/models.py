"""Models and settings that the schemas of several routes share."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from complaints.domain.vocabulary import ContactChannel


def example(shown: dict[str, Any]) -> ConfigDict:
    """The settings of a model that forbids unknown members and has one example."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [shown]})


class AnswerModel(BaseModel):
    """An answer of the API. It has no members but those declared."""

    model_config = ConfigDict(extra="forbid")


def example_in_list(shown: dict[str, Any]) -> ConfigDict:
    """The settings of an item of a list. No member is required, because `fields` may leave any member out."""

    def adapt(schema: dict[str, Any]) -> None:
        schema.pop("required")
        schema["examples"] = [shown]

    return ConfigDict(json_schema_extra=adapt)


Id = Annotated[str, Field(json_schema_extra={"format": "uuid"})]


class PersonShown(BaseModel):
    """A person. Keys without the right to see personal data get masks, such as `138****0000`."""

    name: str | None
    phone: str | None
    email: str | None
    account_no: str | None
    preferred_contact: ContactChannel | None
    language: str | None
    vulnerable: bool
