"""Use cases of the configuration: staff, categories, calendars, policies, keys."""
