"""The manager's results: pictures, the same figures in tables, and as a file."""
