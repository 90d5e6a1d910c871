"""Exports: the complaints of a filter as NDJSON, CSV or XLSX, each with a place in the feed."""
