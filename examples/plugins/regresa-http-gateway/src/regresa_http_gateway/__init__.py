"""A channel for Regresa: text messages by an HTTP gateway."""
