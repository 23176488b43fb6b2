"""The elements of a page that have certain names: their attributes, and the text that is theirs."""

import pytest

from transcoder.core.source.reddit.html_content import Element, parse_elements


@pytest.mark.parametrize(
    ("html", "texts"),
    [
        pytest.param("a <a>b</a> c <p>d</p>", ["b"], id="what follows the end"),
        pytest.param("<a>b<i>c</i>d</a>e", ["bcd"], id="other elements inside"),
        pytest.param("<a>b<a>c</a>d</a>e", ["b", "c"], id="one of the same name inside"),
        pytest.param("<a>b<q>c</q>d</a>e<q>f", ["bcd", "c", "f"], id="one of another name inside, and one without an end"),
        pytest.param("</a>b<a>c", ["c"], id="an end without a beginning"),
        pytest.param("b", [], id="none"),
    ],
)
def test_an_element_has_the_text_up_to_its_end(html: str, texts: list[str]) -> None:
    assert [element.text for element in parse_elements(html, {"a", "q"})] == texts


def test_attributes_are_decoded_and_may_lack_a_value() -> None:
    assert parse_elements('<A Href="x?a=1&amp;b" hidden>', ["a"]) == [Element("a", {"href": "x?a=1&b", "hidden": ""})]
