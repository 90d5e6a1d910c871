"""An annex for the tests: reviews, a kind of subjects with two states and a deadline."""
