"""What the pages of work show, without HTTP: the palette, initials, steps of ladders, and the list of keys."""

import re

import pytest

from complaints.api.problems.languages import Language
from complaints.console.locale import Locale, read_texts
from complaints.console.static_files import read_files
from complaints.console.views.browser_names import name_browser
from complaints.console.views.inbox_rows import describe_step
from complaints.console.views.palette import Destination, HitKind, find_destinations
from complaints.console.views.pinyin_initials import has_initials, initials_of

ENGLISH, CHINESE = (Locale(language, "Asia/Shanghai") for language in Language)


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("李伟", "lw"),
        ("王小明", "wxm"),
        ("欧阳娜娜", "oynn"),
        ("张玥", "z?"),  # rarer: no letter is known
        ("解国安", "xga"),  # a surname with a reading of its own
        ("安解", "aj"),  # the same character elsewhere has its usual reading
        ("单小单", "sxd"),
        ("阿啊座匝", "aazz"),
        ("Li Wei", "lw"),
        ("Jean-Luc O’Hara", "jloh"),
        ("Ｌｉ 伟", "lw"),
        ("李 (Lee)", "ll"),
        ("장위", "??"),
        ("", ""),
    ],
)
def test_initials_of_a_name(name: str, initials: str) -> None:
    assert initials_of(name) == initials


@pytest.mark.parametrize(
    ("name", "letters", "fits"),
    [
        ("李伟", "l", True),
        ("李伟", "lw", True),
        ("李伟", "lx", False),
        ("李伟", "lwx", False),
        ("张玥", "zy", True),
    ],
)
def test_initials_fit_from_the_begin(name: str, letters: str, fits: bool) -> None:
    assert has_initials(name, letters) is fits


def person(name: str, login: str) -> Destination:
    return Destination(HitKind.PERSON, name, f"/{login}", login, (login,))


PLACES = [
    Destination(HitKind.PAGE, "My work", "/work", others=("work",)),
    Destination(HitKind.PAGE, "Inbox", "/inbox", others=("inbox",)),
    person("李伟", "li.wei"),
    person("刘文", "liu.wen"),
    person("Wanda Lee", "w.lee"),
    *(person(f"Zoe {n}", f"zoe.{n}") for n in range(9)),
    Destination(HitKind.TEAM, "Operations", "/ops", "ops", ("ops", "运维")),
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["My work", "Inbox"]),  # in the order of the menu
        ("lw", ["刘文", "李伟"]),
        (" LI.W ", ["李伟"]),
        ("le", ["Wanda Lee"]),
        ("w", ["My work", "Wanda Lee", "刘文", "李伟"]),  # the begin of a name, then the begin of a word
        ("ｉｎｂ", ["Inbox"]),
        ("运", ["Operations"]),
        ("zoe", [f"Zoe {n}" for n in range(6)]),  # six of a kind
        ("%", []),
    ],
)
def test_the_palette_finds_places(query: str, found: list[str]) -> None:
    assert [place.name for place in find_destinations(query, PLACES)][: len(found) or 1] == found


@pytest.mark.parametrize(
    ("step", "english", "chinese"),
    [
        ("80%", "at 80 % of the time", "时间已用 80%"),
        ("100%", "was not met in time", "未按时完成"),
        ("+12h", "12 h after it was due", "到期后 12 小时"),
        ("-3d", "3 d before it is due", "到期前 3 天"),
        ("+24h/2", "24 h after it was due, repetition 2", "到期后 24 小时，第 2 次重复"),
        ("manual", "Escalated by hand", "人工升级"),
        ("of_an_annex", "of_an_annex", "of_an_annex"),
    ],
)
def test_a_step_in_words(step: str, english: str, chinese: str) -> None:
    assert (describe_step(step, ENGLISH), describe_step(step, CHINESE)) == (english, chinese)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19 like Mac OS X) Version/19 Safari/604.1", "iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0", "Firefox · Linux"),
        ("curl/8.9", "curl/8.9"),
        ("", ""),
    ],
)
def test_a_session_is_named_by_its_browser(agent: str, name: str) -> None:
    assert name_browser(agent).endswith(name)


def test_help_lists_the_keys_that_the_script_knows() -> None:
    script = read_files()["keys.js"].decode()
    table = script.split("export const KEYS = {")[1].split("\n};")[0]
    known = set(re.findall(r'^  "?(.)"?:', table, re.MULTILINE)) - {"g"}
    for language in Language:
        keys = read_texts(language).keys
        assert {key for group in ("move", "act", "page") for key in keys[group]} == known
