"""What stands around every endpoint: limits, keys, strict JSON, problems, logs, and the server itself."""
