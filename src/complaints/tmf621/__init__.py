"""TMF621 Trouble Ticket Management, v5.0.1 and v4.0.0: a face over the same complaints for CRM systems.

A trouble ticket is a complaint, and a trouble ticket specification is a category. Nothing is kept twice.
"""
