"""A believable quarter of a carrier, made up from a seed, for demonstrations and for trying out."""
