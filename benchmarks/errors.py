"""Why a benchmark refuses to give a number."""


class CannotMeasure(Exception):
    """A row cannot be measured as asked, or what it measured is wrong; the message says why."""
