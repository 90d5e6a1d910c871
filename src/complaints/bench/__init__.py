"""The benchmarks: how fast the product is, beside what the machine, the framework and the database allow."""
