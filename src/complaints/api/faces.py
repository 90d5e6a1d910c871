"""A face is an application for other readers than those of the API, over the same use cases, rights and scope."""

from dataclasses import dataclass

from fastapi import FastAPI

from complaints.api.problems.catalogue import RefusalForm


@dataclass(frozen=True, slots=True)
class Face:
    """An application that stands below one path. It uses the state of the application in which it stands.

    With `needs_key` its callers are found by key or session, as below `/v1`; otherwise it finds them on its own.
    `refusal_form` writes every refusal below its path; None: refusals are problems.
    """

    app: FastAPI
    needs_key: bool = False
    refusal_form: RefusalForm | None = None
