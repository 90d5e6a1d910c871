"""Clients that dial out to other systems. They know no tables and no rules.

Addresses come from users, so each client goes through the same guard against requests to private networks.
"""
