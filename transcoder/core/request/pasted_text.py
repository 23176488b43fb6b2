"""Finds the address in what a person pasted: with text around it, with an app's own scheme, or without a scheme."""

import re
from urllib.parse import unquote

_REDDIT = re.compile(r"https?://(?:[^/?#@\s]*\.)?(?:reddit\.com|redd\.it|redditmedia\.com)\.?(?::[0-9]*)?(?:[/?#]|$)", re.IGNORECASE)
_NO_SCHEME = re.compile(r"(?<![\w.@/-])(?:[a-z0-9-]+\.)*(?:reddit\.com|redd\.it)/", re.IGNORECASE)
_APP_SCHEME = re.compile(r"reddit:/{2,3}(?:reddit/|(?:[a-z0-9-]+\.)*reddit\.com/)?", re.IGNORECASE)
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_ENCODED_SCHEME = re.compile(r"https?%3A%2F%2F", re.IGNORECASE)
# Google's cache of AMP pages, and its viewer: https://www.google.com/amp/s/amp.reddit.com/r/…
_AMP_CACHE = re.compile(r"https?://(?:www\.google\.[a-z.]{2,6}/amp|[a-z0-9-]+\.cdn\.ampproject\.org/[cv])/s/", re.IGNORECASE)
_ENDS_REDDIT_ADDRESS = re.compile(r"[\s<>\"'`()\[\]{}|\\^*]")
"""Characters that none of Reddit's addresses contain."""
_ENDS_ADDRESS = re.compile(r"[\s<>\"]")
_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_PUNCTUATION = ".,;:!?'\N{RIGHT SINGLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{HORIZONTAL ELLIPSIS}" + _INVISIBLE
_OTHER_SCHEMES = ("s3:", "file:", "data:")


def find_address(text: str) -> str:
    """Return the address in `text`: the first one on Reddit, or else the only one, if it is the last word.

    Anything else is returned as it is: a text that is one address already, one that names none, and one where a space may belong to the
    address.
    """
    words = [word.strip(_INVISIBLE) for word in text.split()]
    if text.lower().startswith(_OTHER_SCHEMES):
        return text
    found = [address for word in words if (address := _address_in(word))]
    for address in found:
        if _REDDIT.match(address):
            return _up_to(_ENDS_REDDIT_ADDRESS, address).rstrip(_PUNCTUATION)
    if len(found) != 1 or not _address_in(words[-1]):
        return text
    if found == words:
        return words[0]
    address = _up_to(_ENDS_ADDRESS, found[0]).rstrip(_PUNCTUATION)
    return address if "(" in address else address.rstrip(")" + _PUNCTUATION)


def _address_in(word: str) -> str:
    """Return what follows in a word from the beginning of an address on; empty if none begins there."""
    if _ENCODED_SCHEME.match(word):
        word = unquote(word)
    address = ""
    if scheme := _SCHEME.search(word):
        address = word[scheme.start() :]
    elif app := _APP_SCHEME.search(word):
        address = f"https://www.reddit.com/{word[app.end() :]}"
    elif host := _NO_SCHEME.search(word):
        address = f"https://{word[host.start() :]}"
    cached = _AMP_CACHE.match(address)
    return f"https://{address[cached.end() :]}" if cached else address


def _up_to(end: re.Pattern[str], text: str) -> str:
    found = end.search(text)
    return text[: found.start()] if found else text
