"""An annex for the tests: it counts complaints by category. Tests also copy it into the product."""
