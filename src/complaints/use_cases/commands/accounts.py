"""The commands of users about their accounts. Passwords are hidden from representations."""

from typing import Annotated

from pydantic import Field, SecretStr

from complaints.use_cases.commands.field_types import Content

Login = Annotated[str, Field(min_length=1, max_length=200)]
GivenPassword = Annotated[SecretStr, Field(min_length=1, max_length=1000)]
NewPassword = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=1000,
        json_schema_extra={
            "minLength": 12,
            "maxLength": 200,
            "description": "12 to 200 characters, after normalisation to NFKC. Not the login, the name or the e-mail.",
        },
    ),
]
LinkToken = Annotated[
    SecretStr, Field(min_length=1, max_length=200, json_schema_extra={"format": "password"})
]


class SignIn(Content):
    """The login and the password of a user."""

    login: Login
    password: GivenPassword


class ChangePassword(Content):
    """A new password. The old one shows that it is the user who asks."""

    old_password: GivenPassword
    password: NewPassword


class SetPassword(Content):
    """A password, and the token of the link by which it is set."""

    token: LinkToken
    password: NewPassword
