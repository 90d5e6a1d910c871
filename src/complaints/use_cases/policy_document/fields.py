"""Field types of the policy models. Each refuses a value with a message that says how to write it.

A validator can refuse several values at once: it raises `refusal`, which pydantic puts below its own place.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from complaints.domain.errors import ask_if_meant, escape_pointer
from complaints.domain.policy.checks import Place, PlacedFault
from complaints.use_cases.policy_document.yaml_document import UnquotedText

T = TypeVar("T")
_INTEGER = re.compile(r"-?[0-9]{1,9}")
_MOST_UNKNOWN = 20  # in one mapping; the search for the nearest name takes time


# Faults -----------------------------------------------------------------------------------------------------


def refusal(faults: Iterable[PlacedFault]) -> ValidationError:
    """The error to raise in a validator that found these faults."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError("fault", "{message}", {"message": message}), loc=place, input=None
        )
        for place, message in faults
    ]
    return ValidationError.from_exception_data("policy", details)


def placed_faults(error: ValidationError) -> list[PlacedFault]:
    """The faults in `error`. The place of a missing member is its mapping."""
    return [
        (e["loc"][:-1], f"lacks '{e['loc'][-1]}'")
        if e["type"] == "missing"
        else (e["loc"], str(e.get("ctx", {}).get("error", e["msg"])))
        for e in error.errors(include_url=False, include_input=False)
    ]


def split_pointer(pointer: str) -> Place:
    """The place that a JSON pointer names."""
    return tuple(name.replace("~1", "/").replace("~0", "~") for name in pointer.split("/")[1:])


def join_pointer(place: Place) -> str:
    """The JSON pointer of a place."""
    return "".join(f"/{escape_pointer(str(name))}" for name in place)


def read_with(handler: Callable[[Any], T], value: object, faults: Iterable[PlacedFault]) -> T:
    """Read `value` by pydantic. Raises the faults found there together with `faults`."""
    faults = list(faults)
    try:
        read: T = handler(value)
    except ValidationError as error:
        raise refusal([*faults, *placed_faults(error)]) from None
    if faults:
        raise refusal(faults)
    return read


def checked(check: Callable[[Any], Iterable[PlacedFault]]) -> AfterValidator:
    """Checks a value after it was read. `check` gives the faults."""

    def run(value: T) -> T:
        if faults := list(check(value)):
            raise refusal(faults)
        return value

    return AfterValidator(run)


# Text, words, numbers ---------------------------------------------------------------------------------------


def read_text(value: object, longest: int = 200) -> str:
    """Text of 1 to `longest` characters, at least one of them visible. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    if not value.strip() or len(value) > longest:
        raise ValueError(f"must be 1 to {longest} characters, not all of them blank")
    return str(value)


def text(longest: int = 200) -> BeforeValidator:
    """Text of 1 to `longest` characters."""
    return BeforeValidator(lambda value: read_text(value, longest))


def parsed(parse: Callable[[str], object]) -> BeforeValidator:
    """Text that `parse` reads. `parse` raises ValueError with the message of the fault."""
    return BeforeValidator(lambda value: parse(read_text(value)))


def fitting(fits: Callable[[str], object], message: str) -> BeforeValidator:
    """Text for which `fits` is true. "{}" in the message stands for the text."""

    def read(value: object) -> str:
        if not fits(written := read_text(value)):
            raise ValueError(message.format(written[:60]))
        return written

    return BeforeValidator(read)


def choose_word(value: object, kind: str, known: Collection[str]) -> str:
    """One of the words in `known`. Raises ValueError with the nearest word."""
    if not isinstance(value, str):
        raise ValueError(f"must be the name of a {kind}")
    if value not in known:
        raise ValueError(_unknown(kind, value, known))
    return str(value)


def word(kind: str, known: Collection[str]) -> BeforeValidator:
    """One of the words in `known`, which are names of a `kind`."""
    return BeforeValidator(lambda value: choose_word(value, kind, known))


def name_of(kind: str, known_names: str) -> BeforeValidator:
    """The name of a `kind` that `known_names` of the context has. If that is None, any text."""

    def read(value: object, info: ValidationInfo) -> str:
        known = getattr(info.context, known_names)
        return read_text(value) if known is None else choose_word(value, kind, known)

    return BeforeValidator(read)


def member_of(words: type[StrEnum]) -> BeforeValidator:
    """One word of a closed set."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words.__name__).lower()
    return word(kind, [member.value for member in words])


def whole_number(least: int, most: int) -> BeforeValidator:
    """A whole number, written without quotes."""

    def read(value: object) -> int:
        if isinstance(value, UnquotedText) and _INTEGER.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"must be a whole number from {least} to {most}")
        if not least <= value <= most:
            raise ValueError(f"{value} is out of range: from {least} to {most}")
        return value

    return BeforeValidator(read)


def _read_truth_value(value: object) -> bool:
    if isinstance(value, UnquotedText) and value in ("true", "false"):
        return value == "true"
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


TRUTH_VALUE = BeforeValidator(_read_truth_value)
"""`true` or `false`, written without quotes. Other words (yes, on) are refused."""


# Lists and mappings -----------------------------------------------------------------------------------------


def items(least: int, most: int) -> BeforeValidator:
    """A list with `least` to `most` items."""

    def read(value: object) -> object:
        if not isinstance(value, list):
            raise ValueError("must be a list")
        if not least <= len(value) <= most:
            raise ValueError(f"must have {least} to {most} items")
        return value

    return BeforeValidator(read)


def mapping(value: object) -> Mapping[str, Any]:
    """`value` itself if it is a mapping. Raises ValueError for anything else."""
    if not isinstance(value, Mapping):
        raise ValueError("must be a mapping of names to values")
    return value


def every(words: type[StrEnum]) -> WrapValidator:
    """A mapping with exactly the words of a closed set as names."""
    names = [member.value for member in words]

    def read(value: object, handler: ValidatorFunctionWrapHandler) -> Any:
        given = mapping(value)
        faults = unknown_members(given, names)
        if missing := [name for name in names if name not in given]:
            faults.append(((), f"lacks {quoted(missing)}"))
        return read_with(handler, {name: given[name] for name in names if name in given}, faults)

    return WrapValidator(read)


class Members(BaseModel):
    """A mapping whose names are fixed. A member that is null counts as absent."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        given = mapping(value)
        faults = [*unknown_members(given, cls.model_fields), *cls.faults_of(given)]
        members = {name: given[name] for name in cls.model_fields if given.get(name) is not None}
        return read_with(handler, members, faults)

    @classmethod
    def faults_of(cls, given: Mapping[str, Any]) -> Iterable[PlacedFault]:
        """Faults of the mapping as a whole, before its members are read."""
        return ()


def unknown_members(given: Mapping[str, Any], known: Collection[str]) -> list[PlacedFault]:
    """The faults of the members that are not `known`, each with the nearest known name."""
    unknown = [name for name in given if name not in known]
    return [((name,), _unknown("member", name, known)) for name in unknown[:_MOST_UNKNOWN]]


def _unknown(kind: str, name: str, known: Collection[str]) -> str:
    """The message for an unknown name, with the nearest known name, or with all of them if they are few."""
    shown = name if len(name) <= 60 else name[:57] + "..."
    few = f"there are {quoted(known)}" if 0 < len(known) <= 12 else "remove it or correct it"
    hint = ask_if_meant(name, known) or few
    return f"unknown {kind} '{shown}'; {hint}"


def quoted(names: Iterable[str]) -> str:
    """The names in quotes, in the order given."""
    return ", ".join(f"'{name}'" for name in names)
