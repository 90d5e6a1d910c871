"""The application: the routers of the API, with the edge around them."""

from fastapi import Depends, FastAPI

import complaints
from complaints.api import authentication, complaint_routes, edge
from complaints.handling.engine import Engine


def create_app(engine: Engine, *, limits: edge.EdgeLimits | None = None) -> FastAPI:
    """The API over `engine`."""
    app = FastAPI(
        title="Complaints",
        version=complaints.__version__,
        docs_url=None,
        redoc_url=None,
        summary="Complaint ticketing and closed-loop workflow",
    )
    app.state.engine = engine
    secured = [Depends(authentication.bearer)]
    for routes in (complaint_routes,):
        app.include_router(routes.router, prefix="/v1", dependencies=secured)
    app.add_middleware(authentication.Authentication, engine=engine)
    edge.install(app, limits=limits or edge.EdgeLimits())
    return app
