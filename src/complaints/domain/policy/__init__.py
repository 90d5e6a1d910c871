"""Policies: values of a policy, and how a policy document is read."""
