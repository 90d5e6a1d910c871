"""The tests, and the processes that they start."""

import gc

# As a server does. With Python's own limits, the look for garbage takes a fifth of the time to load the product.
gc.set_threshold(50_000, 20, 50)
