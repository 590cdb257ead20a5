"""The clinic's own data and rules. Knows no Temporal, no web and no provider."""
