"""Imported files: from bytes and options to create bodies, row by row. `import_file.open_import` is the entry."""
