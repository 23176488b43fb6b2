"""Finds the address in what a person pasted: with text around it, with an app's own scheme, or without a scheme."""

import re
import unicodedata
from urllib.parse import parse_qsl, unquote

_REDDIT = re.compile(r"https?://(?:[^/?#@\s]*\.)?(?:reddit\.com|redd\.it|redditmedia\.com)\.?(?::[0-9]*)?(?:[/?#]|$)", re.IGNORECASE)
_NO_SCHEME = r"(?i)(?<![\w.@/-])(?:(?:https?:?)?/{1,2})?((?:[a-z0-9-]+\.)*(?:reddit(?:media)?\.com|redd\.it)/)"
_APP_SCHEME = r"(?i)reddit:/{2,3}(?:reddit/|(?:[a-z0-9-]+\.)*reddit\.com/)?"
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_DOUBLED_SCHEME = re.compile(r"(?:https?:/*)+(?=https?://)", re.IGNORECASE)  # pasted into a field that had `https://` in it
_ENCODED_SCHEME = re.compile(r"https?%(?:25){0,3}3A%(?:25){0,3}2F%(?:25){0,3}2F", re.IGNORECASE)
# Google's cache of AMP pages, and its viewer: https://www.google.com/amp/s/amp.reddit.com/r/…
_AMP_CACHE = r"(?i)https?://(?:www\.google\.[a-z.]{2,6}/amp|[a-z0-9-]+\.cdn\.ampproject\.org/[cv])/s/"
# Where Reddit sends readers whom it does not show a page, and through what it and Google count who follows a link.
_DETOUR = (
    r"(?i)https?://(?:(?:[a-z0-9-]+\.)*reddit\.com/(?:[a-z-]{2,5}/)?(?:account/)?(?:login|register|over18|quarantine|media|t[13]_[a-z0-9]+)/?"
    r"|(?:www\.)?google\.[a-z.]{2,6}/url)\?(?P<query>.*)"
)
_GO_BETWEENS = re.compile(r"reddit\.com|google\.|ampproject\.org", re.IGNORECASE)
"""What is in each of those addresses."""
_DETOUR_TARGETS = ("dest", "url", "q")
_ENDS_REDDIT_ADDRESS = r"[\s<>\"'`()\[\]{}|\\^*]|~~"
"""What none of Reddit's addresses contain."""
_ENDS_REDDIT_PATH = re.compile(r"[&?#]|https?://", re.IGNORECASE)
_ENDS_ADDRESS = r"[\s<>\"]"
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
            return _reddit_address(address)
    if len(found) != 1 or not _address_in(words[-1]):
        return text
    if found == words:
        return words[0]
    address = _up_to(_ENDS_ADDRESS, found[0]).rstrip(_PUNCTUATION)
    return address if "(" in address else address.rstrip(")" + _PUNCTUATION)


def _address_in(word: str) -> str:
    """Return what follows in a word from the beginning of an address on; empty if none begins there."""
    while _ENCODED_SCHEME.match(word):
        word = unquote(word)
    address = ""
    if scheme := _SCHEME.search(word):
        doubled = _DOUBLED_SCHEME.match(word, scheme.start())
        address = word[doubled.end() if doubled else scheme.start() :]
    elif app := re.search(_APP_SCHEME, word):
        address = f"https://www.reddit.com/{word[app.end() :]}"
    elif host := re.search(_NO_SCHEME, word):
        address = f"https://{word[host.start(1) :]}"
    if not _GO_BETWEENS.search(address):
        return address
    if cached := re.match(_AMP_CACHE, address):
        return f"https://{address[cached.end() :]}"
    return _behind_detour(address)


def _behind_detour(address: str) -> str:
    """Return the address on Reddit that a detour leads to; any other address is returned as it is."""
    detour = re.match(_DETOUR, address)
    parameters = dict(parse_qsl(detour["query"])) if detour else {}
    return next((parameters[name] for name in _DETOUR_TARGETS if _REDDIT.match(parameters.get(name, ""))), address)


def _reddit_address(text: str) -> str:
    """Return the address on Reddit that a text begins with."""
    address = _up_to(_ENDS_REDDIT_ADDRESS, text.replace("\\_", "_"))  # as Markdown writes it
    address = address[: next((place for place, character in enumerate(address) if not _may_be_in_title(character)), None)]
    end = _ENDS_REDDIT_PATH.search(address, len("https://"))
    if end and end[0] in {"?", "#"}:
        return address.rstrip(_PUNCTUATION)
    return address[: end.start() if end else None].rstrip(_PUNCTUATION + "=_~-")


def _may_be_in_title(character: str) -> bool:
    """Whether a character can be in the title in an address: of those beyond ASCII, only letters, their marks, and digits."""
    return character.isascii() or unicodedata.category(character)[0] in "LMN"


def _up_to(end: str, text: str) -> str:
    found = re.search(end, text)
    return text[: found.start()] if found else text
