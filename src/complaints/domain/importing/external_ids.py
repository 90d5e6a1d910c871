"""Tells external ids from what spreadsheets and people write where an id is missing or was lost."""

import re

from complaints.domain.importing.plain_text import to_plain

_ROUNDED = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?e[+-]?[0-9]+", re.IGNORECASE)
_NO_ID = frozenset(
    (
        "na", "nan", "nil", "null", "none", "nothing", "undefined", "unknown", "missing", "empty", "blank",
        "tbd", "tba", "tbc", "todo", "pending", "notavailable", "notapplicable", "notassigned", "unassigned",
        "noid", "nonumber", "ref", "value", "name", "num", "div0", "error", "keine", "ohne", "sans", "aucun",
        "无", "没有", "空", "空白", "未知", "暂无", "不详", "不明", "待定", "待补", "待填", "未填", "未提供", "无编号",
    )
)  # fmt: skip


def looks_lost(external_id: str) -> bool:
    """True for a number that a spreadsheet rounded (`1.38E+14`), and for words and signs that mean no id."""
    plain = to_plain(external_id).casefold()
    letters = "".join(filter(str.isalnum, plain))
    return not letters or letters in _NO_ID or _ROUNDED.fullmatch(plain.strip()) is not None
