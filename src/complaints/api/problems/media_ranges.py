"""The header `Accept`: which of two media types a caller prefers (RFC 9110, section 12.5.1)."""

from collections.abc import Mapping


def prefers(accept: str, media_type: str, *, to: str = "application/json") -> bool:
    """True if an Accept header ranks `media_type` above the media type `to`."""
    ranges = _ranges(accept)
    return _quality(ranges, media_type) > _quality(ranges, to)


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
