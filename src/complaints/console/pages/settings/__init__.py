"""The settings: policies, calendars, the staff, categories, keys, webhooks and notifications. `PAGES` has them all."""

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

PAGES = (
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
