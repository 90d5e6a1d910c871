"""Policy documents in YAML or JSON: read with every fault and its line, and written."""
