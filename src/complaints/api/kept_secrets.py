"""A secret in an answer that is kept under an idempotency key: kept encrypted, and shown to the same caller only."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from complaints.api.http.authentication import read_secret
from complaints.api.request import ApiRequest
from complaints.domain.json_text import encode
from complaints.use_cases.configuration import keys


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """The member `member` of an answer is secret. `name_of` gives bytes that belong to this answer alone.

    `password` encrypts it. It contains the secret of the caller, so the database alone cannot decrypt the answer. It
    is empty if the answer is not kept; then the member stays as it is.
    """

    member: str
    name_of: Callable[[Mapping[str, Any]], bytes]
    password: bytes

    @classmethod
    def of(
        cls,
        request: ApiRequest,
        http_request: Request,
        *,
        member: str,
        name_of: Callable[[Mapping[str, Any]], bytes],
    ) -> "KeptSecret":
        """The secret in the answer to this request."""
        if request.attempt is None:
            return cls(member, name_of, b"")
        password = f"{read_secret(http_request.scope)}\n{request.attempt.key}\n".encode()
        return cls(member, name_of, password)

    def hide(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """The content of the answer as it is kept."""
        if not self.password:
            return content
        hidden = keys.encrypt_secret(content[self.member], self.password, name=self.name_of(content))
        return {**content, self.member: hidden}

    def show(self, body: bytes) -> bytes:
        """The body of the answer as it is sent. Raises Conflict if it was kept for another secret of the caller."""
        if not self.password:
            return body
        content = json.loads(body)
        secret = keys.decrypt_secret(content[self.member], self.password, name=self.name_of(content))
        return encode(content | {self.member: secret})
