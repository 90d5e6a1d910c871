"""Use cases of accounts: passwords, sign-in, sessions."""
