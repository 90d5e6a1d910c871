"""/v1/calendars: stored ones, which policy documents may name."""

import pytest

from tests.api_client import ApiClient

OFFICE = {
    "timezone": "Asia/Shanghai",
    "hours": {"mon": [["09:00", "12:00"], ["13:30", "24:00"]]},
    "holidays": {"2026-10-01": "国庆节"},
    "overrides": {"2026-10-10": [["09:00", "18:00"]]},
}


def test_one_is_made_read_replaced_and_listed(client: ApiClient) -> None:
    made = client.put("/v1/calendars/office", json=OFFICE)
    assert (made.status_code, made.headers["location"]) == (201, "/v1/calendars/office")
    assert made.json() == {"code": "office", **OFFICE}
    assert client.get("/v1/calendars/office").json() == made.json()
    assert client.get("/v1/calendars").json() == {"items": [made.json()], "next_cursor": None}

    again = client.put(
        "/v1/calendars/office", json=made.json() | {"holidays": ["2026-10-02"], "overrides": None}
    )
    assert again.status_code == 200
    assert (again.json()["holidays"], again.json()["overrides"]) == ({"2026-10-02": ""}, {})


def test_without_hours_it_is_always_open(client: ApiClient) -> None:
    made = client.put("/v1/calendars/always", json={"timezone": "UTC"})
    assert made.json() == {
        "code": "always",
        "timezone": "UTC",
        "hours": None,
        "holidays": {},
        "overrides": {},
    }


UNFIT = [
    ({"timezone": "Mars/Olympus"}, "/timezone"),
    ({"timezone": None}, "/timezone"),
    ({"hours": {"monday": []}}, "/hours/monday"),
    ({"hours": {"mon": [["22:00", "06:00"]]}}, "/hours/mon/0"),
    ({"hours": {}, "overrides": {}}, "/hours"),
    ({"hours": {}, "overrides": {"2026-10-10": [["09:00", "18:00"]]}}, "/hours"),
    ({"holidays": ["2026-02-30"]}, "/holidays/0"),
    ({"code": "another"}, "/code"),
    ({"colour": "red"}, "/colour"),
]


def test_what_does_not_fit_is_refused_at_its_member(client: ApiClient) -> None:
    for change, pointer in UNFIT:
        refused = client.put("/v1/calendars/office", json=OFFICE | change)
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
        assert client.get("/v1/calendars/office").status_code == 404


def test_one_that_closes_for_a_year_later_on_is_refused(client: ApiClient) -> None:
    """Rule 2.5: open hours now do not help a clock that starts next spring."""
    days = [
        f"{year}-{month:02d}-{day:02d}"
        for year in (2027, 2028)
        for month in range(1, 13)
        for day in range(1, 29)
    ]
    ends = [
        f"{year}-{month:02d}-{day}" for year in (2027, 2028) for month in range(1, 13) for day in (29, 30, 31)
    ]
    real = [day for day in ends if day[5:] not in ("02-30", "02-31", "04-31", "06-31", "09-31", "11-31")]
    closed = days + [day for day in real if day != "2027-02-29"]
    refused = client.put("/v1/calendars/office", json=OFFICE | {"holidays": closed})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/hours"


@pytest.mark.parametrize(
    "holidays",
    [[f"{1900 + n // 300}-{n // 25 % 12 + 1:02d}-{n % 25 + 1:02d}" for n in range(5001)], ["9999-01-01"]],
)
def test_days_too_many_or_too_far_away_are_refused(client: ApiClient, holidays: list[str]) -> None:
    assert client.put("/v1/calendars/office", json=OFFICE | {"holidays": holidays}).status_code == 422


def test_a_code_in_the_path_that_is_none_is_not_found(client: ApiClient) -> None:
    assert client.put("/v1/calendars/an%20office", json=OFFICE).status_code == 404
    assert client.put("/v1/calendars/office", json=[]).status_code == 422


def test_a_policy_may_name_it(client: ApiClient) -> None:
    from complaints.use_cases.upkeep.seeding import shipped_policy

    document = shipped_policy("telecom-handbook").replace("hours: null", "use: office")
    headers = {"Content-Type": "application/yaml"}
    assert client.post("/v1/policies", content=document, headers=headers).status_code == 422
    client.put("/v1/calendars/office", json=OFFICE)
    applied = client.post("/v1/policies", content=document, headers=headers)
    assert applied.status_code == 201
    assert applied.json()["document"]["calendars"]["always"]["holidays"] == {"2026-10-01": "国庆节"}
