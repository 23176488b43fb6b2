"""Parses XML from Reddit. A document type could define entities that expand without limit, so it is refused."""

from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring


def parse_xml(text: str) -> Element | None:
    """Return the root element; None if the text is not well-formed or has a document type."""
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException):
        return None
    return root
