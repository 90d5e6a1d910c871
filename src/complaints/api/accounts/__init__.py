"""Routes of accounts: sign-in, sessions, passwords, and who is calling."""
