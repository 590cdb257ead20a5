"""A patient list is imported by upload: looked at first, and imported when somebody says so."""
