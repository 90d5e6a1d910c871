"""Use cases of files of people: departments, teams and users in one YAML file, planned and applied."""
