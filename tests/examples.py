"""How many examples tests make up: few, so that they are soon through; `COMPLAINTS_TEST_EXAMPLES=10` makes ten
times as many.
"""

import os

VARIABLE = "COMPLAINTS_TEST_EXAMPLES"
TIMES = int(os.environ.get(VARIABLE, "1"))


def examples(few: int) -> int:
    """`few`, or as many times that as the environment asks for."""
    return few * TIMES
