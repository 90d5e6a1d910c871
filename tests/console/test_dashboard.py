"""The dashboard: tiles, charts and pages of figures say the numbers of the API, within the scope of the reader."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from complaints.console.pages.dashboard import CHARTS, TILES
from complaints.domain.figures.catalogue import FIGURES
from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.figures.keeping import keep_facts
from tests.api_client import ApiClient
from tests.console.conftest import Reader
from tests.support import Scenario

pytestmark = pytest.mark.usefixtures("everything_holds")
PERIOD: dict[str, Any] = {"from": "2026-01-01", "until": "2026-01-31"}
SignIn = Callable[..., Reader]


@pytest.fixture
def quarter(scenario: Scenario) -> Scenario:
    """Four complaints, one with a late response, and their facts."""
    posts = [scenario.post(category="network.outage") for _ in range(4)]
    for post in posts[:3]:
        scenario.act(post, "respond", message="We look.", contact_channel="phone")
    scenario.advance(days=2)
    while keep_facts(scenario.service):
        pass
    return scenario


def test_the_page_links_each_part_to_its_figure(sign_in: SignIn, quarter: Scenario) -> None:
    page = sign_in().get("/dashboard", **PERIOD).text
    for name in (*TILES, *(name for name, _ in CHARTS)):
        assert f"/console/dashboard/{name}?from=2026-01-01" in page, name
    assert page.count('hx-trigger="load"') == len(TILES) + len(CHARTS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_tile_says_the_number_of_the_api(
    sign_in: SignIn, quarter: Scenario, client: ApiClient, language: str
) -> None:
    answer: Any = client.get(
        "/v1/reports/response_rate", params={"from": "2026-01-01", "to": "2026-02-01"}
    ).json()
    assert (answer["total"]["numerator"], answer["total"]["denominator"]) == (3, 4)
    tile = sign_in().get("/dashboard/tiles/response_rate", language=language, partial=True, **PERIOD).text
    assert "75.0" in tile
    assert ("3 of 4" if language == "en" else "3 / 4") in tile


def test_a_chart_is_a_drawing_that_needs_no_style(
    sign_in: SignIn, quarter: Scenario, subtests: pytest.Subtests
) -> None:
    reader = sign_in()
    for figure, group_by in CHARTS:
        with subtests.test(f"{figure} by {group_by}"):
            answer = reader.get(f"/dashboard/charts/{figure}/{group_by}", partial=True, **PERIOD)
            assert answer.status_code == 200
            assert "style=" not in answer.text


def test_every_figure_has_a_page_with_its_formula(
    sign_in: SignIn, quarter: Scenario, subtests: pytest.Subtests
) -> None:
    reader = sign_in()
    for figure in FIGURES:
        with subtests.test(figure):
            for language in ("en", "zh"):
                answer = reader.get(f"/dashboard/{figure}", language=language, **PERIOD)
                assert answer.status_code == 200, answer.text
                assert FIGURES[figure].formula[language][:20] in answer.text


def test_the_complaints_behind_a_figure_are_links(sign_in: SignIn, quarter: Scenario) -> None:
    page = sign_in().get("/dashboard/inflow", **PERIOD).text
    assert page.count('<td><a href="/console/complaints/C') == 4
    assert 'href="/v1/reports/inflow?from=2026-01-01&amp;to=2026-02-01&amp;format=csv"' in page


def test_a_reader_sees_figures_of_the_own_scope(sign_in: SignIn, quarter: Scenario) -> None:
    reader = sign_in("wu.fan", AccessRole.AGENT, scope="teams", scope_names=["management"])
    page = reader.get("/dashboard/inflow", **PERIOD).text
    assert "/console/complaints/C" not in page


REFUSED = [
    ({"from": "2026-02-01", "until": "2026-01-01"}, 422),
    ({"from": "yesterday"}, 400),
    ({"team": "nobody"}, 422),
    ({"colour": "red"}, 400),
]


def test_a_bad_period_or_filter_is_refused_in_words(
    sign_in: SignIn, quarter: Scenario, subtests: pytest.Subtests
) -> None:
    reader = sign_in()
    for query, status in REFUSED:
        with subtests.test(str(query)):
            answer = reader.get("/dashboard/inflow", **query)
            assert answer.status_code == status
            assert "<h1>" in answer.text


def test_a_report_is_published_once_and_listed(sign_in: SignIn, quarter: Scenario) -> None:
    quarter.advance(days=40)
    while keep_facts(quarter.service):
        pass
    reader = sign_in("guo.yuan", AccessRole.MANAGER)
    form = {"attempt": "one", "language": "en", "period": "2026-01"}
    assert reader.post("/reports", form).status_code == 303
    assert reader.post("/reports", form).status_code == 303
    page = reader.get("/reports").text
    assert page.count("format=html") == 1
    refused = reader.post("/reports", form | {"attempt": "two", "period": "2026-13", "reason": "kept"})
    assert refused.status_code == 422
    assert 'value="2026-13"' in refused.text
    assert 'value="kept"' in refused.text


def test_a_schedule_is_made_by_those_who_configure(sign_in: SignIn, quarter: Scenario) -> None:
    form = {"attempt": "one", "code": "monthly", "kind": "month", "recipients": "guo.yuan", "active": "true"}
    reader = sign_in("guo.yuan", AccessRole.MANAGER)
    assert reader.post("/reports/schedules", form).status_code == 303
    assert "monthly" in reader.get("/reports").text
    deep = {"recipients" + ".a" * 2000: "x"}
    assert reader.post("/reports/schedules", deep | {"attempt": "deep"}).status_code == 400
    refused = reader.post("/reports/schedules", form | {"attempt": "two", "recipients": "nobody.here"})
    assert refused.status_code == 422
    assert "nobody.here" in refused.text
    other = sign_in("bai.lu", AccessRole.SUPERVISOR)
    assert other.post("/reports/schedules", form | {"attempt": "three"}).status_code == 403
    assert sign_in("wu.fan", AccessRole.AGENT).get("/reports").status_code == 403


def test_the_days_of_the_dashboard_are_those_of_the_policy(sign_in: SignIn, scenario: Scenario) -> None:
    scenario.advance(hours=16)  # 01:00 of the next day in Shanghai
    today = (scenario.now() + timedelta(hours=8)).date().isoformat()
    assert f'name="until" value="{today}"' in sign_in().get("/dashboard").text
