"""The identity of a complainant: account number, phone number and e-mail address in comparable form."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import idna
import phonenumbers

from complaints.domain.visibility import drop_invisible, find_invisible

_LONGEST_E164 = 15
_LONGEST_EMAIL = 254
_LONGEST_ACCOUNT = 200
_SHORTEST_NUMBER = 7  # two groups of so many digits are two numbers
_SHORTEST_PLACEHOLDER = 4
_DASHES = re.compile("[\u2010-\u2015\u2043\u207b\u208b\u2212\u2e3a\u2e3b\u301c\u3030\u30fc\u02d7]")
_EXTENSION = re.compile(
    r"[ ,(]*(?:;? ?ext(?:n|ension)?[ .:=]*|x ?|# ?|[转轉][接]?[ :]*|(?:分机|分機|内线|內線)[号號]?[ :]*)"
    r"([0-9]{1,6})[ )]*$",
    re.IGNORECASE,
)
_LAST_GROUP = re.compile(r"(.*[0-9][ ()\-]+[0-9]+) ?- ?([0-9]{1,6}) *")
_PHONE = re.compile(r"[ +()\-]*[0-9][0-9 +()\-]*")
_LIKE_A_PHONE = re.compile(r"((?<![^\W_])\+?\(?[0-9](?:[ ()\-]{0,3}[0-9]){4,30}(?![^\W_]))")
_EMAIL = re.compile(r"[^@\s,;:<>()\[\]\"\\]+@[^@\s,;:<>()\[\]\"\\]+")
_SCHEME = re.compile(r"\s*mailto\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Identity:
    """The marks by which a complainant is known. A mark that was not given is None.

    Only `identify` makes identities that can be compared. `extension` is of the phone number.
    """

    account_no: str | None = None
    phone_e164: str | None = None
    email: str | None = None
    extension: str | None = None


def identify(*, account_no: str | None, phone: str | None, email: str | None, region: str) -> Identity:
    """Make an identity from contact data. `region` is the policy's phone region (ISO 3166-1 alpha-2)."""
    number, extension = _read_phone(phone, region) if phone else (None, None)
    return Identity(
        account_no=normalise_account(account_no) if account_no else None,
        phone_e164=number,
        email=normalise_email(email) if email else None,
        extension=extension,
    )


def same_complainant(one: Identity, other: Identity) -> bool:
    """True if two identities belong to the same complainant (rule 5.8).

    The account number decides if both have it, otherwise the phone number, otherwise the e-mail address.
    Without a mark that both have, the answer is False. Two extensions of one number are two complainants; a
    number without extension is the same as with one.
    """
    if one.account_no and other.account_no:
        return one.account_no == other.account_no
    if one.phone_e164 and other.phone_e164:
        differ = one.extension and other.extension and one.extension != other.extension
        return one.phone_e164 == other.phone_e164 and not differ
    return bool(one.email) and one.email == other.email


# Account numbers ------------------------------------------------------------------------------------------------------


def normalise_account(text: str) -> str | None:
    """An account number in comparable form: NFKC, without characters that show nothing, and without outer blanks.

    None if nothing is left, or one repeated digit, which is nobody's number.
    """
    form = drop_invisible(_compose(text)).strip()
    return form if form and not _is_placeholder(form) and len(form) <= _LONGEST_ACCOUNT else None


def find_account_fault(text: str) -> str | None:
    """The reason why `text` is no account number; None if it is one."""
    if len(_compose(text)) > _LONGEST_ACCOUNT:
        return f"must have at most {_LONGEST_ACCOUNT} characters after NFKC"
    return None


# Phone numbers --------------------------------------------------------------------------------------------------------


def normalise_phone(text: str, region: str) -> str | None:
    """A phone number in the form E.164 ("+8613800000000"), so that equal numbers have equal text.

    National numbers belong to `region`. A number that is not possible there, such as a short code or a typing
    error, becomes its digits alone, without "+". A trunk zero inside an international number is dropped, and so is
    an extension. Returns None if `text` has no digit, more digits than one number, or one repeated digit.
    """
    return _read_phone(text, region)[0]


def find_phone_fault(text: str) -> str | None:
    """The reason why `text` is no phone number; None if it is one. It is judged after NFKC."""
    if _is_plain(text):
        return None
    folded = _fold_phone(text)
    number, _ = _split_extension(folded)
    if not _PHONE.fullmatch(number) or len(folded) < 5:
        return "must be 5 to 32 digits, spaces and + - ( ), and perhaps an extension such as ext 12"
    if _has_several_numbers(number):
        return f"must be one phone number of at most {_LONGEST_E164} digits, not several"
    return None


def split_phones(text: str) -> list[tuple[str, bool]]:
    """The pieces of `text`, each with True if it reads like a phone number. It is folded as phone numbers are."""
    pieces = _LIKE_A_PHONE.split(_fold_phone(text))
    return [(piece, bool(n % 2)) for n, piece in enumerate(pieces) if piece]


def is_phone_region(code: str) -> bool:
    """True if national phone numbers of the region `code` can be read (ISO 3166-1 alpha-2, upper case)."""
    return code in phonenumbers.SUPPORTED_REGIONS


def _read_phone(text: str, region: str) -> tuple[str | None, str | None]:
    """The number in comparable form, and its extension. Both None for nobody's number."""
    if _is_plain(text):
        number = _e164(text, text.removeprefix("+"), region) or text.removeprefix("+")
        return None if _is_placeholder(number) else number, None
    written, extension = _split_extension(_fold_phone(text))
    if "-" in written and extension is None:
        written, extension = _split_last_group(written, region)
    digits = "".join(re.findall(r"[0-9]", written))
    if not digits or _has_several_numbers(written):
        return None, None
    number = _e164(written, digits, region) or digits
    return (None, None) if _is_placeholder(number) else (number, extension)


def _is_plain(text: str) -> bool:
    """True for a number without any separator, as programs send it. The work below has nothing to do for it."""
    digits = text.removeprefix("+")
    return 5 <= len(digits) <= _LONGEST_E164 and digits.isascii() and digits.isdigit()


def _fold_phone(text: str) -> str:
    """`text` with ASCII digits, brackets, blanks and dashes, and without characters that show nothing."""
    if text.isascii():
        return text.strip(" ")
    folded = _DASHES.sub("-", drop_invisible(_compose(_DASHES.sub("-", text))))
    return "".join(map(_fold_mark, folded)).strip(" ")


def _fold_mark(character: str) -> str:
    if character.isascii():
        return character
    return {"Pd": "-", "Ps": "(", "Pe": ")", "Zs": " "}.get(unicodedata.category(character), character)


def _split_extension(text: str) -> tuple[str, str | None]:
    found = _EXTENSION.search(text)
    if found is None or len(re.findall(r"[0-9]", text[: found.start()])) < 5:
        return text, None
    return text[: found.start()], found[1]


def _split_last_group(text: str, region: str) -> tuple[str, str | None]:
    """`010-65529988-8012` is a valid number with an extension, because the whole is no valid number."""
    found = _LAST_GROUP.fullmatch(text)
    if found is None or _is_valid(text, region) or not _is_valid(found[1], region):
        return text, None
    return found[1], found[2]


def _has_several_numbers(text: str) -> bool:
    groups = re.findall(r"[0-9]+", text)
    digits = "".join(groups)
    dialled = digits.removeprefix("00") if len(set(digits)) > 1 else digits
    return len(dialled) > _LONGEST_E164 or sum(len(group) >= _SHORTEST_NUMBER for group in groups) > 1


def _is_placeholder(number: str) -> bool:
    """True for one repeated digit, also behind a country code: a number that was withheld or is not known."""
    digits = number.removeprefix("+")
    if len(set(digits[3:])) > 1:
        return False
    national = [digits]
    if number.startswith("+"):
        national += [digits[n:] for n in (1, 2, 3) if int(digits[:n]) in _CALLING_CODES]
    return any(len(d) >= _SHORTEST_PLACEHOLDER and d.isdecimal() and len(set(d)) == 1 for d in national)


_CALLING_CODES = phonenumbers.COUNTRY_CODE_TO_REGION_CODE


def _e164(text: str, digits: str, region: str) -> str | None:
    dialled = digits[2:] if digits.startswith("00") else digits
    if _is_plainly_international(text, dialled):
        return f"+{dialled}"
    number = _parsed(f"+{dialled}" if digits.startswith("00") else text, region)
    if number is None or not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_plainly_international(text: str, dialled: str) -> bool:
    """True for an international number without a zero at the places of a trunk zero.

    Such a number is in the form E.164 already, so the slow parser with the rules of all countries is spared.
    """
    international = text.startswith(("+", "00"))
    return international and 8 <= len(dialled) <= _LONGEST_E164 and "0" not in dialled[:4]


def _is_valid(text: str, region: str) -> bool:
    number = _parsed(text, region)
    return number is not None and phonenumbers.is_valid_number(number)


def _parsed(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


# E-mail addresses -----------------------------------------------------------------------------------------------------


def normalise_email(text: str) -> str | None:
    """An e-mail address in comparable form: NFKC, lower case, and the domain in U-labels (IDNA 2008).

    RFC 5321 allows a mail provider to distinguish case before the @. Providers of complainants do not do so,
    and people write their address in both ways. None if `text` is blank, or too long in this form.
    """
    local, at, domain = _compose(text).strip().lower().rpartition("@")
    form = f"{local}{at}{_unicode_domain(domain)}"
    return form if form and len(form) <= _LONGEST_EMAIL else None


def find_email_fault(text: str) -> str | None:
    """The reason why `text` is no e-mail address; None if it is one."""
    if (character := find_invisible(text)) is not None:
        return f"must have no characters that show nothing: it has U+{ord(character):04X}"
    if _SCHEME.match(_compose(text)):
        return "must be the address alone, without mailto:"
    if not _EMAIL.fullmatch(text) or not _EMAIL.fullmatch(_compose(text)):
        return "must be one e-mail address"
    if normalise_email(text) is None:
        return f"must have at most {_LONGEST_EMAIL} characters after NFKC"
    return None


@lru_cache(maxsize=1024)
def _unicode_domain(domain: str) -> str:
    """The domain in U-labels (IDNA 2008). A label that is no valid A-label stays as it is."""
    if domain.isascii() and "xn--" not in domain:
        return domain.removesuffix(".")
    labels = domain.replace("\u3002", ".").removesuffix(".").split(".")
    return ".".join(map(_unicode_label, labels))


def _unicode_label(label: str) -> str:
    try:
        return idna.decode(label) if label.startswith("xn--") else label
    except idna.IDNAError:
        return label


def _compose(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)
