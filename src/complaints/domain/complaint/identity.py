"""Who a complainant is: phone numbers and e-mail addresses in the form they are compared in."""

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers

_LONGEST_E164 = 15


@dataclass(frozen=True, slots=True)
class Identity:
    """What a complainant can be known by; each None where not told. Compare those of `identify` only."""

    account_no: str | None = None
    phone_e164: str | None = None
    email: str | None = None


def identify(*, account_no: str | None, phone: str | None, email: str | None, region: str) -> Identity:
    """The identity of who gave these; `region` is the policy's phone region (ISO 3166-1 alpha-2)."""
    return Identity(
        account_no=(account_no or "").strip() or None,
        phone_e164=normalise_phone(phone, region) if phone else None,
        email=normalise_email(email) if email else None,
    )


def same_complainant(one: Identity, other: Identity) -> bool:
    """Whether two identities are one complainant's (domain §1, `merge`).

    The first of account number, phone and e-mail that both name decides: equal or not. None that both name:
    not.
    """
    pairs = (
        (one.account_no, other.account_no),
        (one.phone_e164, other.phone_e164),
        (one.email, other.email),
    )
    return next((mine == theirs for mine, theirs in pairs if mine and theirs), False)


def normalise_phone(text: str, region: str) -> str | None:
    """`text` as E.164 ("+8613800000000"), so that equal numbers compare equal; None when it has no digit.

    National numbers are read as of `region`; what is no possible number there (a short code, a typo) becomes
    its digits alone, without "+". A trunk zero written inside an international number is dropped.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    digits = "".join(re.findall(r"[0-9]", text))
    if not digits:
        return None
    dialled = digits[2:] if digits.startswith("00") else digits
    if _is_plainly_international(text, dialled):
        return f"+{dialled}"
    return _parsed(f"+{dialled}" if digits.startswith("00") else text, region) or digits


def is_phone_region(code: str) -> bool:
    """Whether `code` (ISO 3166-1 alpha-2, upper case) is a region whose national numbers can be read."""
    return code in phonenumbers.SUPPORTED_REGIONS


def normalise_email(text: str) -> str | None:
    """`text` in the form it is compared in, None when blank.

    Both parts are folded to one case: RFC 5321 lets the part before the @ tell case apart, but no mail
    provider that complainants use does, and people write it either way.
    """
    return unicodedata.normalize("NFKC", text).strip().casefold() or None


def _is_plainly_international(text: str, dialled: str) -> bool:
    """A "+" or "00" number that needs no look at its country's rules: no zero where a trunk zero would
    stand.
    """
    international = text.startswith(("+", "00"))
    return international and 8 <= len(dialled) <= _LONGEST_E164 and "0" not in dialled[:4]


def _parsed(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
