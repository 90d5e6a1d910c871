"""Around every endpoint: limits, keys, strict JSON, request ids, metrics. Knows no route."""
