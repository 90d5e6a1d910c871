"""What pages show: pure functions from the results of use cases to the values of templates. No HTTP."""
