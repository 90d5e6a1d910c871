"""A path is compared with the routes of its prefix alone."""

from typing import ClassVar

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from complaints.api.http.prefixed_router import PrefixedRouter
from tests.api_client import ApiClient


class WatchedRoute(APIRoute):
    """A route that notes each comparison."""

    compared: ClassVar[set[str]] = set()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        self.compared.add(self.path)
        return super().matches(scope)


@pytest.fixture
def client() -> ApiClient:
    app = FastAPI()
    boxes = PrefixedRouter(prefix="/boxes", route_class=WatchedRoute)
    parts = PrefixedRouter(prefix="/shelves/{shelf}/parts", route_class=WatchedRoute)
    boxes.add_api_route("", lambda: "boxes")
    parts.add_api_route("/{part}", lambda shelf, part: f"{shelf} {part}")
    for router in (boxes, parts):
        app.include_router(router, prefix="/v1")
    WatchedRoute.compared.clear()
    return ApiClient(app)


@pytest.mark.parametrize(
    ("path", "status", "compared"),
    [
        ("/v1/boxes", 200, {"/boxes"}),
        ("/v1/shelves/1/parts/2", 200, {"/shelves/{shelf}/parts/{part}"}),
        ("/v1/shelves/1", 404, {"/shelves/{shelf}/parts/{part}"}),
        ("/v1/other", 404, set()),
    ],
)
def test_other_routes_are_not_compared(client: ApiClient, path: str, status: int, compared: set[str]) -> None:
    assert client.get(path).status_code == status
    assert WatchedRoute.compared == compared
