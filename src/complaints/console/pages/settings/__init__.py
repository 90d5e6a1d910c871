"""The settings: policies, calendars, the staff, categories, keys, webhooks and notifications, a module for each."""

from fastapi import APIRouter

from complaints.console.pages.settings import (
    audit,
    calendars,
    categories,
    deliveries,
    departments,
    imports,
    keys,
    notifications,
    overview,
    people,
    policies,
    policy_document,
    robots,
    teams,
    webhooks,
    what_if,
)

_PAGES = (
    overview,
    policy_document,
    what_if,
    policies,
    calendars,
    departments,
    teams,
    people,
    categories,
    keys,
    webhooks,
    notifications,
    robots,
    deliveries,
    audit,
    imports,
)
router = APIRouter()
for _page in _PAGES:
    router.include_router(_page.router, prefix="/settings")
