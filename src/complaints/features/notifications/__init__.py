"""Notifications: an annex that follows the history and tells staff and complainants what concerns them."""
