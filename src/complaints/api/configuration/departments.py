"""Departments: who stands above the teams."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.responses import Response

from complaints.api.configuration.schemas import DEPARTMENT_EXAMPLE, DepartmentShown, Page
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import PageParameters, make_page
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.staff import Department
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateDepartment, PatchDepartment
from complaints.use_cases.configuration import staff
from complaints.use_cases.service import Transaction

router = APIRouter(prefix="/departments", tags=["reference data"], route_class=StrictRoute)
_SHOWN = {"model": DepartmentShown}


def department_json(department: Department) -> dict[str, Any]:
    """A department as the API shows it."""
    return asdict(department)


@router.get(
    "", dependencies=[require_right(Right.READ_OWN)], responses={200: {"model": Page[DepartmentShown]}}
)
def list_departments(request: CurrentRequest, query: PageParameters) -> Response:
    """Every department, by code."""

    def work(tx: Transaction) -> Reply:
        found = request.service.cache.current(tx, certain=True).directory.departments.values()
        shown = [department_json(department) for department in found]
        return make_page(shown, query, kind="departments", order=["code"], shape=DepartmentShown)

    return request.read(work)


@router.get(
    "/{code}",
    dependencies=[require_right(Right.READ_OWN)],
    responses={200: _SHOWN, **refusals(not_found="There is no such department.")},
)
def get_department(request: CurrentRequest, code: str) -> Response:
    """One department."""

    def work(tx: Transaction) -> Reply:
        directory = request.service.cache.current(tx, certain=True).directory
        return 200, department_json(staff.load_department(directory, code)), {}

    return request.read(work)


@router.post(
    "",
    status_code=201,
    dependencies=[require_right(Right.CONFIGURE)],
    responses={201: _SHOWN, **refusals(conflict="The code is taken.")},
)
def create_department(
    request: CurrentRequest, command: Annotated[CreateDepartment, Body(examples=[DEPARTMENT_EXAMPLE])]
) -> Response:
    """Make a department. Steps for `department_head` go to its head, those for `executive` to the head of the
    one at the top.
    """

    def work(tx: Transaction) -> Reply:
        made = staff.create_department(request.service, tx, request.caller, command)
        return 201, department_json(made), {"Location": f"/v1/departments/{made.code}"}

    return request.configure(work)


@router.patch(
    "/{code}",
    dependencies=[require_right(Right.CONFIGURE)],
    responses={200: _SHOWN, **refusals(not_found="There is no such department.")},
)
def change_department(
    request: CurrentRequest,
    code: str,
    command: Annotated[PatchDepartment, Body(examples=[{"head": "admin"}])],
) -> Response:
    """Change a department. `""` takes a head, a deputy or a parent away; a vacant head's steps go one up."""

    def work(tx: Transaction) -> Reply:
        return (
            200,
            department_json(staff.change_department(request.service, tx, request.caller, code, command)),
            {},
        )

    return request.configure(work)
