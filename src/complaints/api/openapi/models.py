"""Pieces that the models of several rooms share."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from complaints.domain.vocabulary import ContactChannel


def example(shown: dict[str, Any]) -> ConfigDict:
    """A model without other members, with an example."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [shown]})


class AnswerModel(BaseModel):
    """An answer of the API. It has no members but those declared."""

    model_config = ConfigDict(extra="forbid")


def example_in_list(shown: dict[str, Any]) -> ConfigDict:
    """What a list shows of its items: all members, or those that `fields` names."""

    def adapt(schema: dict[str, Any]) -> None:
        schema.pop("required")
        schema["examples"] = [shown]

    return ConfigDict(json_schema_extra=adapt)


Id = Annotated[str, Field(json_schema_extra={"format": "uuid"})]


class PersonShown(BaseModel):
    """A person. Personal data is `***` for keys without the right to see it."""

    name: str | None
    phone: str | None
    email: str | None
    account_no: str | None
    preferred_contact: ContactChannel | None
    language: str | None
    vulnerable: bool
