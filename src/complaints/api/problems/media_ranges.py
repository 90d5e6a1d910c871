"""The header `Accept` (RFC 9110, section 12.5.1), read in one place: which media types a caller wants."""

from collections.abc import Mapping


def prefers(accept: str, media_type: str, *, to: str = "application/json") -> bool:
    """True if an Accept header ranks `media_type` above the media type `to`."""
    ranges = _ranges(accept)
    return _quality(ranges, media_type) > _quality(ranges, to)


def accepts_rather(accept: str, media_type: str, *, than: str) -> bool:
    """True if an Accept header names `media_type`, and does not prefer the type `than` to it.

    Only the type itself counts: `*/*` and `text/*` ask for nothing in particular.
    """
    wanted = find_quality(accept, media_type)
    return wanted > 0 and wanted >= find_quality(accept, than)


def find_quality(accept: str, media_type: str) -> float:
    """How much an Accept header wants a type that it names, from 0 to 1. 0 also for a type that it does not name."""
    return _ranges(accept).get(media_type, 0.0)


def _ranges(accept: str) -> dict[str, float]:
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights = [piece[2:] for piece in parameters if piece.startswith("q=")]
        ranges[media_range] = _weight(weights[0]) if weights else 1.0
    return ranges


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _quality(ranges: Mapping[str, float], media_type: str) -> float:
    family = media_type.partition("/")[0] + "/*"
    for candidate in (media_type, family, "*/*"):
        if candidate in ranges:
            return ranges[candidate]
    return 0.0
