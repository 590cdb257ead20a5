"""Who may come in: login, sessions, and what keeps strangers out."""
