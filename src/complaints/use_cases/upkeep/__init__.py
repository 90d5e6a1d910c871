"""The work that no caller asks for: sweeps, chores, checks, health, seeding, the test clock."""
