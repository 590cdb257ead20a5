"""The patient's own page, from the link in a message."""
