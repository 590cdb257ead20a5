"""The register: who the patients are, how they may be reached, and what is held about them."""
