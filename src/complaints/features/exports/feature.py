"""What the annex declares."""

from complaints.api.feature import Feature
from complaints.features.exports.command import export_to_file
from complaints.features.exports.routes import router

FEATURE = Feature(name="exports", router=router, commands={"export": export_to_file})
