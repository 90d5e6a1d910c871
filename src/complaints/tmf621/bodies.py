"""Bodies of requests: their media type, their JSON, and their check against the shape that TMF621 gives."""

from typing import Any, TypeVar

from starlette.requests import Request

from complaints.api.http import strict_json
from complaints.api.http.content_types import read_content_type
from complaints.api.http.strict_json import MalformedJson
from complaints.api.problems.refusals import UnsupportedMediaType
from complaints.domain.errors import InvalidContent
from complaints.tmf621.shapes import TmfContent
from complaints.use_cases.commands.messages import read_command

Shape = TypeVar("Shape", bound=TmfContent)


async def read_json(request: Request, media_types: tuple[str, ...]) -> tuple[str, Any]:
    """The media type and the JSON value of a body. Raises UnsupportedMediaType, MalformedJson or InvalidContent.

    A request without any body has no media type that could be wrong: it is a bad request.
    """
    body = await request.body()
    sent = request.headers.getlist("content-type")
    if not body and not sent:
        raise MalformedJson("The request needs a body.")
    found = read_content_type(sent[0]) if len(sent) == 1 else None
    if found is None or found.media_type not in media_types or not found.is_utf8:
        raise UnsupportedMediaType(f"Send the body as Content-Type: {' or '.join(media_types)}, in UTF-8.")
    return found.media_type, strict_json.loads(body)


def check_shape(shape: type[Shape], value: Any) -> Shape:
    """The value as an object of `shape`. Raises InvalidContent with the members that do not fit."""
    if not isinstance(value, dict):
        raise InvalidContent.at("", "The body must be a JSON object.")
    return read_command(shape, value)
