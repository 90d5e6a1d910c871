"""`GET /docs`: Swagger UI over `GET /openapi.json`, from files in the package. `api.middleware` adds the router.

Each file and the document are made once, and then sent as bytes.

The browser loads nothing from another host. The directory of the viewer has its version in its name. To upgrade, put
the files of the npm package `swagger-ui-dist` into a new directory and make `SHA256SUMS` with `sha256sum`. Then change
the version here, in `static/docs.html` and in `NOTICE`.
"""

import hashlib
from functools import lru_cache
from importlib import resources
from pathlib import PurePosixPath

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from complaints.domain.errors import NotFound
from complaints.domain.json_text import encode

router = APIRouter(include_in_schema=False)

VIEWER = "swagger-ui-5.35.0"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Scripts, styles and requests only from this server. The style sheet has its icons as `data:` images."""

_STATIC = resources.files("complaints.api.openapi") / "static"
_MEDIA_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}
_ASK_AGAIN = "no-cache"
_A_YEAR = "public, max-age=31536000, immutable"


@router.get("/docs")
async def show_docs() -> Response:
    """The page with the viewer."""
    return _file("docs.html", cache_control="no-store")


@router.get("/openapi.json")
def send_document(request: Request) -> Response:
    """The OpenAPI document. The first request of a process makes it."""
    state = request.app.state
    if not hasattr(state, "document"):
        state.document = _tagged(encode(request.app.openapi()))
    content, etag = state.document
    return _unless_known(request, _response(content, etag, "application/json", cache_control="no-store"))


@router.get("/docs/docs.js")
async def start_viewer(request: Request) -> Response:
    """The script that starts the viewer. Browsers ask for it each time, as its name has no version."""
    return _unless_known(request, _file("docs.js", cache_control=_ASK_AGAIN))


@router.get(f"/docs/{VIEWER}/{{name}}")
async def send_viewer_file(request: Request, name: str) -> Response:
    """One file of the viewer. Browsers keep it for a year. Raises NotFound for any other name."""
    if name not in _viewer_files():
        raise NotFound("There is nothing at this address.")
    return _unless_known(request, _file(f"{VIEWER}/{name}", cache_control=_A_YEAR))


@lru_cache(maxsize=1)
def _viewer_files() -> frozenset[str]:
    return frozenset(file.name for file in (_STATIC / VIEWER).iterdir())


@lru_cache(maxsize=16)
def _content(path: str) -> tuple[bytes, str]:
    """A static file and its ETag."""
    return _tagged(_STATIC.joinpath(*path.split("/")).read_bytes())


def _tagged(content: bytes) -> tuple[bytes, str]:
    """The content and its ETag."""
    return content, f'"{hashlib.sha256(content).hexdigest()}"'


def _file(path: str, *, cache_control: str) -> Response:
    media_type = _MEDIA_TYPES.get(PurePosixPath(path).suffix, "text/plain")
    content, etag = _content(path)
    return _response(content, etag, media_type, cache_control=cache_control)


def _response(content: bytes, etag: str, media_type: str, *, cache_control: str) -> Response:
    headers = {
        "Cache-Control": cache_control,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "ETag": etag,
    }
    return Response(content, media_type=media_type, headers=headers)


def _unless_known(request: Request, response: Response) -> Response:
    """304 if the browser has this very content already (RFC 9110, section 13.1.2)."""
    known = request.headers.get("if-none-match", "")
    if response.headers["etag"] not in known:
        return response
    kept = {name: response.headers[name] for name in ("cache-control", "content-security-policy", "etag")}
    return Response(status_code=304, headers=kept)
