"""The files of the console: compressed, kept for a year, small, and as their authors made them."""

import gzip
import hashlib
import re
from importlib import resources

import pytest

from complaints.console.static_files import address_of_file, read_files
from tests.api_client import ApiClient

FIRST_LOAD_BYTES = 60_000
VENDORED = ("htmx-4.0.1", "pico-2.1.1")


def test_a_browser_keeps_a_file_for_a_year(client: ApiClient) -> None:
    answer = client.get(address_of_file("console.css"), headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.content == read_files()["console.css"]


def test_a_file_of_another_version_is_not_there(client: ApiClient) -> None:
    assert client.get("/console/static/0000000000000000/console.css").status_code == 404
    assert client.get(address_of_file("console.css") + "/../../x").status_code == 404


def test_all_files_together_are_small() -> None:
    assert sum(len(gzip.compress(content, 9)) for content in read_files().values()) < FIRST_LOAD_BYTES


def test_a_page_loads_every_script() -> None:
    scripts = {
        name: content.decode()
        for name, content in read_files().items()
        if "/" not in name and name.endswith(".js")
    }
    loaded, waiting = set[str](), ["console.js"]
    while waiting:
        name = waiting.pop()
        if name not in loaded:
            loaded.add(name)
            waiting += re.findall(r'"\./([\w-]+\.js)"', scripts[name])
    assert loaded == set(scripts)


@pytest.mark.parametrize("name", VENDORED)
def test_files_of_others_are_unchanged_and_have_their_licence(name: str) -> None:
    directory = resources.files("complaints.console") / "static" / name
    sums = (directory / "SHA256SUMS").read_text("utf-8").splitlines()
    listed = {file: digest for digest, file in (line.split("  ") for line in sums)}
    assert any(file.startswith("LICENSE") for file in listed)
    for file, digest in listed.items():
        assert hashlib.sha256((directory / file).read_bytes()).hexdigest() == digest
