"""Models: stand-ins on which the rules run, so that what they did holds for every complaint of a kind.

A model has the members by which its kind is known, and no others. It also has its own present. The rules can compare
it with instants, and nothing else. So no rule can depend on anything that the kind leaves open.
"""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from complaints.domain.complaint.facts import Complaint
from complaints.domain.instants import MOMENT


class NotInKind(Exception):
    """A rule read something that the kind of its model leaves open. The kind needs that member."""


class _Absent:
    """Stands in the place of a member that a model does not have."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, model: object, kind: type) -> NoReturn:
        raise NotInKind(f"The rules read {self._name}, which is no member of the kind.")


class Model(Complaint):
    """A complaint with some of its members. To read another member raises NotInKind."""


for _member in fields(Complaint):
    setattr(Model, _member.name, _Absent(_member.name))


def _noting(comparison: Callable[[Any, Any], Any], *, at: bool, after: bool) -> Any:
    """The comparison. It also notes if its result changes at the other instant, or just after it."""

    def compare(self: "Present", other: Any) -> Any:
        if isinstance(other, datetime) and not isinstance(other, Present):
            self.splits.extend([other] * at + [other + MOMENT] * after)
        return comparison(self, other)

    return compare


def _forbid(_value: object, _other: object) -> NoReturn:
    raise NotInKind("The rules compute with a value that the kind leaves open.")


class ModelId(UUID):
    """An id in a model. The rules can compare it and pass it on, but not write it into a text."""

    def __init__(self, number: int) -> None:
        super().__init__(int=number)

    def __str__(self) -> str:
        raise NotInKind("The rules write an id into a text, which the kind leaves open.")


class _Unread:
    """A value that the rules of a model may pass on, but not use."""

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _forbid
    __add__ = __radd__ = __sub__ = __rsub__ = _forbid
    __hash__ = None  # type: ignore[assignment]


UNREAD: Any = _Unread()


class Present(datetime):
    """The present of a model: the rules can compare it with an instant, and nothing else.

    `instant` is the instant that it stands for. `splits` are the instants at which the result of a comparison changes.
    Between two of them, the rules do the same.
    """

    instant: datetime
    splits: list[datetime]

    @classmethod
    def at(cls, now: datetime) -> "Present":
        """The present of a model that stands for `now`."""
        present = cls.combine(now.date(), now.timetz())
        present.instant, present.splits = now, []
        return present

    def __getattribute__(self, name: str) -> Any:
        if name in _OPEN or name.startswith("_"):
            return super().__getattribute__(name)
        raise NotInKind(f"The rules read {name} of the present, which is no member of the kind.")

    __lt__ = _noting(datetime.__lt__, at=True, after=False)
    __ge__ = _noting(datetime.__ge__, at=True, after=False)
    __le__ = _noting(datetime.__le__, at=False, after=True)
    __gt__ = _noting(datetime.__gt__, at=False, after=True)
    __eq__ = _noting(datetime.__eq__, at=True, after=True)
    __ne__ = _noting(datetime.__ne__, at=True, after=True)
    __hash__ = datetime.__hash__
    __add__ = __radd__ = __sub__ = __rsub__ = _forbid


_OPEN = frozenset({"instant", "splits"})
