"""The identity of a complainant: account number, phone number and e-mail address in comparable form."""

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers

_LONGEST_E164 = 15


@dataclass(frozen=True, slots=True)
class Identity:
    """The marks by which a complainant is known. A mark that was not given is None.

    Only `identify` makes identities that can be compared.
    """

    account_no: str | None = None
    phone_e164: str | None = None
    email: str | None = None


def identify(*, account_no: str | None, phone: str | None, email: str | None, region: str) -> Identity:
    """Make an identity from contact data. `region` is the policy's phone region (ISO 3166-1 alpha-2)."""
    return Identity(
        account_no=(account_no or "").strip() or None,
        phone_e164=normalise_phone(phone, region) if phone else None,
        email=normalise_email(email) if email else None,
    )


def same_complainant(one: Identity, other: Identity) -> bool:
    """True if two identities belong to the same complainant (domain §1, `merge`).

    The account number decides if both have it, otherwise the phone number, otherwise the e-mail address.
    Without a mark that both have, the answer is False.
    """
    pairs = (
        (one.account_no, other.account_no),
        (one.phone_e164, other.phone_e164),
        (one.email, other.email),
    )
    return next((mine == theirs for mine, theirs in pairs if mine and theirs), False)


def normalise_phone(text: str, region: str) -> str | None:
    """A phone number in the form E.164 ("+8613800000000"), so that equal numbers have equal text.

    National numbers belong to `region`. A number that is not possible there, such as a short code or a typing
    error, becomes its digits alone, without "+". A trunk zero inside an international number is dropped.
    Returns None if `text` has no digit.
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
    """True if national phone numbers of the region `code` can be read (ISO 3166-1 alpha-2, upper case)."""
    return code in phonenumbers.SUPPORTED_REGIONS


def normalise_email(text: str) -> str | None:
    """An e-mail address in comparable form: one Unicode form (NFKC), one case. None if `text` is blank.

    RFC 5321 allows a mail provider to distinguish case before the @. Providers of complainants do not do so,
    and people write their address in both ways.
    """
    return unicodedata.normalize("NFKC", text).strip().casefold() or None


def _is_plainly_international(text: str, dialled: str) -> bool:
    """True for an international number without a zero at the places of a trunk zero.

    Such a number is in the form E.164 already, so the slow parser with the rules of all countries is spared.
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
