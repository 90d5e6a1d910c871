"""One complaint: its facts, the change in the making, its history, its number and who complains."""
