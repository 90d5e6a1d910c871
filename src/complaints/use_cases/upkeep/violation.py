"""A breach of an invariant, as `complaints check` lists it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach of an invariant. `number` is the number of the complaint; "" if it concerns no complaint."""

    invariant: str
    number: str
    message: str
