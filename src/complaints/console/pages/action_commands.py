"""The actions that a form of the console can take, each with its command and its use case."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from complaints.console.page_request import PageRequest
from complaints.domain.vocabulary import Action, LinkType
from complaints.use_cases.access import Right, right_for
from complaints.use_cases.commands.complaints import (
    TRANSITIONS,
    Acknowledge,
    AddLink,
    AddNote,
    MakePromise,
    PatchComplaint,
    PolicyVersion,
    Replan,
)
from complaints.use_cases.commands.field_types import Code, Content
from complaints.use_cases.complaints import actions, edit, escalations, notes_and_links, promises
from complaints.use_cases.complaints.changing import Versions
from complaints.use_cases.service import Transaction
from complaints.use_cases.work import taking

EDIT, TAKE = "edit", "take"


class RemoveLink(Content):
    """A link to remove, as `type/complaint`."""

    link: Annotated[Code, Field(pattern=rf"^({'|'.join(LinkType)})/.+$")]


class KeepPromise(Content):
    """A promise that is kept."""

    promise_id: UUID


class AcknowledgeOne(Acknowledge):
    """An escalation that the user takes care of."""

    escalation_id: UUID


class ReplanTo(Content):
    """A version of a policy, as `code/version`."""

    policy: Annotated[Code, Field(pattern=r"^.+/[0-9]{1,7}$")]


class Take(Content):
    """The wish to work on the complaint. It carries nothing."""


Command = Any
"""A command of the model of its action."""
TakeAction = Callable[[PageRequest, Transaction, str, Command, Versions], object]


@dataclass(frozen=True, slots=True)
class FormAction:
    """An action that a form takes. `take` gets the reference of the complaint, the command and the version seen."""

    name: str
    model: type[Content]
    right: Right
    take: TakeAction

    @property
    def is_transition(self) -> bool:
        """True if it is an action of the lifecycle."""
        return self.name in TRANSITIONS


def _transition(
    request: PageRequest, tx: Transaction, reference: str, command: Command, versions: Versions
) -> object:
    return actions.transition(request.service, tx, request.caller, reference, command, versions)


def _note(
    request: PageRequest, tx: Transaction, reference: str, command: Command, versions: Versions
) -> object:
    return notes_and_links.add_note(request.service, tx, request.caller, reference, command)


def _edit(
    request: PageRequest, tx: Transaction, reference: str, command: Command, versions: Versions
) -> object:
    return edit.patch(request.service, tx, request.caller, reference, command, versions)


def _promise(
    request: PageRequest, tx: Transaction, reference: str, command: Command, versions: Versions
) -> object:
    return promises.make_promise(request.service, tx, request.caller, reference, command)


def _keep_promise(
    request: PageRequest, tx: Transaction, reference: str, command: KeepPromise, versions: Versions
) -> object:
    return promises.keep_promise(request.service, tx, request.caller, reference, command.promise_id)


def _link(
    request: PageRequest, tx: Transaction, reference: str, command: Command, versions: Versions
) -> object:
    return notes_and_links.add_link(request.service, tx, request.caller, reference, command)


def _unlink(
    request: PageRequest, tx: Transaction, reference: str, command: RemoveLink, versions: Versions
) -> object:
    kind, _, other = command.link.partition("/")
    return notes_and_links.remove_link(request.service, tx, request.caller, reference, LinkType(kind), other)


def _take(
    request: PageRequest, tx: Transaction, reference: str, command: Command, versions: Versions
) -> object:
    return taking.take(request.service, tx, request.caller, reference)


def _acknowledge(
    request: PageRequest, tx: Transaction, reference: str, command: AcknowledgeOne, versions: Versions
) -> object:
    return escalations.acknowledge(
        request.service, tx, request.caller, command.escalation_id, Acknowledge(note=command.note)
    )


def _replan(
    request: PageRequest, tx: Transaction, reference: str, command: ReplanTo, versions: Versions
) -> object:
    code, _, version = command.policy.rpartition("/")
    wanted = Replan(policy=PolicyVersion(code=code, version=int(version)))
    return actions.replan(request.service, tx, request.caller, reference, wanted, versions)


_OTHERS = (
    FormAction("note", AddNote, Right.CONTRIBUTE, _note),
    FormAction(EDIT, PatchComplaint, Right.WORK, _edit),
    FormAction("promise", MakePromise, Right.WORK, _promise),
    FormAction("keep_promise", KeepPromise, Right.WORK, _keep_promise),
    FormAction("link", AddLink, Right.WORK, _link),
    FormAction("unlink", RemoveLink, Right.WORK, _unlink),
    FormAction(TAKE, Take, Right.WORK, _take),
    FormAction("acknowledge", AcknowledgeOne, Right.WORK, _acknowledge),
    FormAction("replan", ReplanTo, Right.SUPERVISE, _replan),
)
FORM_ACTIONS: Mapping[str, FormAction] = {
    **{a.value: FormAction(a.value, TRANSITIONS[a], right_for(a), _transition) for a in Action},
    **{one.name: one for one in _OTHERS},
}
"""Every action of a form, by its name."""
