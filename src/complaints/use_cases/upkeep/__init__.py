"""What the product does by itself: sweeps, chores, checks, health, seeding, the test clock."""
