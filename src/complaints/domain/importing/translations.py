"""Translates the words of a file to the values of members, as `--map-value` says."""

from collections.abc import Mapping
from typing import Any

from complaints.domain.importing.conversions import Converter, as_text
from complaints.domain.importing.options import fold_word


def translate_words(words: Mapping[str, str], convert: Converter) -> Converter:
    """A converter that first replaces a known word. `words` are values by folded word; "" means no value.

    A list or an object is no word and is converted as it is.
    """

    def read(raw: Any) -> Any:
        known = None if isinstance(raw, dict | list) else words.get(fold_word(as_text(raw)))
        return convert(raw if known is None else known)

    return read
