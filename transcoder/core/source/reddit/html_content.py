"""Reads HTML with the parser of the standard library: the content of a feed's entry, and the elements of a page."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser

from transcoder.core.media.character_references import with_possible_references

_MAX_ELEMENTS = 10_000
_END = "<br>"
"""Makes the parser give the text before it."""
_MAX_CHARACTERS = 1000
"""How much text of an element is kept."""


@dataclass(slots=True)
class Element:
    """One element with its attributes and its text, without what is inside of its descendants of the same name."""

    name: str
    attributes: dict[str, str]
    text: str = ""


def parse_elements(html: str, names: Collection[str]) -> list[Element]:
    """Return the elements with these names in their order; fewer if the HTML is damaged or has very many."""
    collector = _Collector(names)
    # Without `close`, which would begin with what is not complete, such as an open comment, again and again: the time for it was quadratic.
    # All that it could add is the text after the last tag.
    with suppress(AssertionError):  # html.parser's answer to some damaged declarations; what came before them is good
        collector.feed(with_possible_references(html))
        collector.feed(_END)
    return collector.elements


class _Collector(HTMLParser):
    """Collects elements; the text of each ends at the next tag of its name."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__()
        self._names = names
        self._open: dict[str, Element] = {}
        self.elements: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._names and len(self.elements) < _MAX_ELEMENTS:
            self._open[tag] = Element(tag, {name: value or "" for name, value in attrs})
            self.elements.append(self._open[tag])

    def handle_endtag(self, tag: str) -> None:
        self._open.pop(tag, None)

    def handle_data(self, data: str) -> None:
        for element in self._open.values():
            element.text += data[: _MAX_CHARACTERS - len(element.text)]
