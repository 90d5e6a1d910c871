"""Finds the members that a model knows at a place in a body, so that a message can suggest the right spelling."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel


def find_known_names(shape: Any, place: Sequence[str | int]) -> list[str]:
    """The names of the members at `place` in a body of the type `shape`, in their order.

    `place` is the location of an unknown member in an error of pydantic, without the member itself. It has the
    labels of unions too.
    """
    found = dict.fromkeys(name for model in _walk(shape, list(place)) for name in _names_of(model))
    return list(found)


def _names_of(model: type[BaseModel]) -> Iterator[str]:
    return (field.alias or name for name, field in model.model_fields.items())


def _walk(shape: Any, place: list[str | int]) -> Iterator[type[BaseModel]]:
    """The models to which `place` leads from `shape`."""
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        if not place:
            yield shape
        elif isinstance(place[0], str):
            yield from _step_into(shape, place)
        return
    if get_origin(shape) is list and place:
        place = place[1:]
    for part in get_args(shape):
        yield from _walk(part, place)


def _step_into(model: type[BaseModel], place: list[str | int]) -> Iterator[type[BaseModel]]:
    label, *rest = place
    if _is_labelled(model, label):
        yield from _walk(model, rest)
    for name, field in model.model_fields.items():
        if label in (name, field.alias):
            yield from _walk(field.annotation, rest)


def _is_labelled(model: type[BaseModel], label: str | int) -> bool:
    """True if the model is the form of a union with this label, such as the form of an action."""
    return any(
        get_origin(field.annotation) is Literal and str(label) in map(str, get_args(field.annotation))
        for field in model.model_fields.values()
    )
