"""Text as it is compared: without case, accents and punctuation."""

import unicodedata


def plain(text: str) -> str:
    """Fold case, accents and punctuation, so that `# Teléfono:` compares as `telefono`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = (
        character if character.isalnum() else " "
        for character in decomposed
        if not unicodedata.combining(character)
    )
    return " ".join("".join(kept).split())


def name_key(first_name: str, last_name: str) -> str:
    """Return a name as names are compared: also without the order of its words."""
    return " ".join(sorted(plain(f"{first_name} {last_name}").split()))
