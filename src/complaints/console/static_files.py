"""The files that pages load: style sheets, scripts and icons, each compressed once.

Their address has a digest of all files, so browsers keep them for a year, and scripts import each other by name.
"""

import gzip
import hashlib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from fastapi import APIRouter, Request
from starlette.responses import Response

from complaints.domain.errors import NotFound

router = APIRouter()
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}
_A_YEAR = "public, max-age=31536000, immutable"


@cache
def read_files() -> dict[str, bytes]:
    """The files by their path below `static`."""
    return dict(_walk(resources.files("complaints.console") / "static", ""))


def _walk(directory: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in sorted(directory.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        elif PurePosixPath(entry.name).suffix in _MEDIA_TYPES:
            found.append((prefix + entry.name, entry.read_bytes()))
    return found


@cache
def digest_of_files() -> str:
    """A digest of all files with their names."""
    digest = hashlib.sha256()
    for name, content in read_files().items():
        digest.update(f"{name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def address_of_file(name: str) -> str:
    """The path of a file for pages. Raises KeyError for a file that does not exist."""
    read_files()[name]
    return f"/console/static/{digest_of_files()}/{name}"


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress(read_files()[name], 9, mtime=0)


@router.get("/static/{digest}/{name:path}")
async def send_file(request: Request, digest: str, name: str) -> Response:
    """A file. Under the digest of another version it is not there: a page of that version is reloaded."""
    if digest != digest_of_files() or name not in read_files():
        raise NotFound("There is nothing at this address.")
    media_type = _MEDIA_TYPES[PurePosixPath(name).suffix]
    headers = {"Cache-Control": _A_YEAR, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            _compressed(name), headers={**headers, "Content-Encoding": "gzip"}, media_type=media_type
        )
    return Response(read_files()[name], headers=headers, media_type=media_type)
