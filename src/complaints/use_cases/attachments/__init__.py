"""Attachments: adding, listing, reading and scanning them, and keeping store and rows together."""
