"""Files that the code makes are as the code makes them now, and the description of the API is valid."""

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.test_openapi import DOCUMENT
from tests.generate import GENERATED, ROOT


@pytest.mark.parametrize("name", GENERATED)
def test_generated_files_are_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == GENERATED[name](), "run: python -m tests.generate"


def test_it_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []
