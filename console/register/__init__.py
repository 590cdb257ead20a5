"""The register in the console: search, a patient's card, and what may be changed of it."""
