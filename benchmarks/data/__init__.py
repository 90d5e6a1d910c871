"""The complaints that measures work on: invented, replayed and copied into tables."""
