"""Masks: the part of a name, a number or an address that a reader without the right to persons may see (rule 9.1).

A mask tells two persons apart and names neither. Its stars are always four, so it does not show the length.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

STARS = "****"
_EXTENSION = re.compile(r"ext|x|转|轉|分机|#|;|,", re.IGNORECASE)
_LONGEST_ENDING = 10  # a longer last label of a domain may be a name
_PHONE_PARTS = (
    (11, 3, 4),
    (7, 1, 2),
)  # from so many digits on: the digits shown at the start, and at the end
_CODE_PARTS = ((12, 0, 4), (6, 0, 2))
_FEWEST_DIGITS = 7


def mask_phone(text: str) -> str:
    """`138****0000`: the first 3 and the last 4 digits of 11 or more, 1 and 2 of 7 to 10, of fewer none.

    An extension is left out.
    """
    main = _without_extension(text)
    digits = "".join(filter(str.isdecimal, main))
    plus = "+" if main.lstrip().startswith("+") else ""
    return plus + _show_ends(digits, _PHONE_PARTS)


def mask_name(text: str) -> str:
    """`王****`: the first character. Of a name with one character nothing; accents and joiners are no characters."""
    shown = list(filter(_is_character, unicodedata.normalize("NFC", text)))
    return (shown[0] if len(shown) > 1 else "") + STARS


def mask_email(text: str) -> str:
    """`k****@****.example`: the first character of a longer local part, and the last label of the domain."""
    local, at, domain = text.rpartition("@")
    if not at:
        return STARS
    _, dot, ending = domain.rpartition(".")
    return f"{mask_name(local)}@{STARS}" + (f".{ending}" if dot and len(ending) <= _LONGEST_ENDING else "")


def mask_code(text: str) -> str:
    """`****31`: the last 2 of 6 or more letters and digits, the last 4 of 12 or more, of fewer none."""
    return _show_ends("".join(filter(str.isalnum, text)), _CODE_PARTS)


def mask_service_id(text: str) -> str:
    """As `mask_phone` if the service is a phone number, otherwise as `mask_code`."""
    main = _without_extension(text)
    is_phone = sum(map(str.isdecimal, main)) >= _FEWEST_DIGITS and not any(map(str.isalpha, main))
    return mask_phone(text) if is_phone else mask_code(text)


def _without_extension(text: str) -> str:
    return _EXTENSION.split(text, maxsplit=1)[0]


def _is_character(one: str) -> bool:
    """True unless it only changes the look of the character beside it, or shows nothing."""
    category = unicodedata.category(one)
    return category[0] not in "MCZ" and category != "Sk"


def _show_ends(text: str, parts: tuple[tuple[int, int, int], ...]) -> str:
    """The ends of `text` that its length allows, with stars between them."""
    first, last = next(((first, last) for least, first, last in parts if len(text) >= least), (0, 0))
    return text[:first] + STARS + text[len(text) - last :]


_MASKS: Mapping[str, Callable[[str], str]] = {
    "name": mask_name,
    "phone": mask_phone,
    "email": mask_email,
    "account_no": mask_code,
}


def mask_person(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a person with a mask for each member of personal data that is known."""
    return {**members, **{name: mask(members[name]) for name, mask in _MASKS.items() if members[name]}}
