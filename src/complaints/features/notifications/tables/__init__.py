"""The tables of notifications: a file for each, and what messages need of the tables of the core."""

from complaints.storage.database.types import new_metadata

metadata = new_metadata()
