"""Routes for departments, which stand above the teams."""

from typing import Annotated

from fastapi import Body

from complaints.api.configuration.reference_routes import WriteRoute, make_reference_router
from complaints.api.configuration.schemas import DepartmentShown, Page
from complaints.api.openapi.example_files import read_examples
from complaints.use_cases.commands.configuration import CreateDepartment, PatchDepartment
from complaints.use_cases.configuration.staff import DEPARTMENTS

_EXAMPLES = read_examples("complaints.api.configuration")

router = make_reference_router(
    DEPARTMENTS,
    schema=DepartmentShown,
    page_schema=Page[DepartmentShown],
    create=WriteRoute(
        body=Annotated[CreateDepartment, Body(examples=[_EXAMPLES["create_department"]])],
        description="""
        Make a department. Steps for `department_head` go to its head. Steps for `executive` go to the head of
        the top department, which has no parent.
        """,
    ),
    change=WriteRoute(
        body=Annotated[PatchDepartment, Body(examples=[_EXAMPLES["patch_department"]])],
        description="""
        Change a department. `""` removes its head, deputy or parent. The steps of a vacant role go to the next
        role up.
        """,
    ),
)
