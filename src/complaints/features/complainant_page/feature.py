"""What the annex declares."""

from complaints.api.feature import Feature
from complaints.features.complainant_page import pages, routes

FEATURE = Feature(name="complainant_page", router=routes.router, pages=pages.router)
