"""The rules: pure functions from facts and an instant to a change of a complaint."""
