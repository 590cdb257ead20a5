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
