"""What other people wrote, made harmless for a terminal: it is shown, and steers nothing.

A reply may hold the terminal's own commands (ESC, or one of the C1 controls), which move the
cursor, rewrite what stands there or set the window's title, and marks that turn the direction of
writing, so that a line reads as another one.
"""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook
from rich.segment import Segment

_CONTROLS = [code for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"]
_TURNS = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
"""Embeddings, overrides and isolates (Unicode Standard Annex 9)."""

_LEFT_OUT = dict.fromkeys([*_CONTROLS, *_TURNS])
_ESCAPED = {code: f"\\u{code:04x}" for code in (*_CONTROLS, *_TURNS) if code >= ord(" ")}


def harmless(text: str) -> str:
    """Return a text without what would steer a terminal."""
    return text.translate(_LEFT_OUT)


def harmless_json(document: str) -> str:
    """Return a JSON document that means the same, and steers no terminal it is printed on."""
    return document.translate(_ESCAPED)


class HarmlessText(RenderHook):
    """Makes everything harmless that a console prints; the console's own controls stay."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Wrap what is about to be printed."""
        return [_Harmless(renderable) for renderable in renderables]


class _Harmless:
    def __init__(self, inner: RenderableType) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self._inner, options):
            if segment.control:
                yield segment
            else:
                yield Segment(harmless(segment.text), segment.style)
