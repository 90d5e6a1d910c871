"""The console: pages for the staff at `/console`, over the use cases of the API."""
