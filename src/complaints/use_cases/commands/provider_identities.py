"""The command that links a user to a subject of an OpenID provider."""

from typing import Annotated

from pydantic import Field

from complaints.use_cases.commands.field_types import Content

Issuer = Annotated[
    str,
    Field(
        min_length=8,
        max_length=500,
        pattern=r"^https?://[!-~]+$",
        description="The issuer, as it names itself.",
    ),
]
Subject = Annotated[
    str,
    Field(
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]([ -~]*[!-~])?$",
        description="The claim `sub` of the user.",
    ),
]


class LinkIdentity(Content):
    """The subject by which a user signs in, and its issuer."""

    issuer: Issuer
    subject: Subject
