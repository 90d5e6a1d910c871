"""Floor 4: the REST API, version 1."""
