"""Use cases of complaints: post, read, change, act."""
