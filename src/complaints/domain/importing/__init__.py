"""Import files: from bytes and options to create bodies, row by row. `rows` is the way in."""
