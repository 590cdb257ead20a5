"""The import: any clinic's export in, every row accounted for."""
