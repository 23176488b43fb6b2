"""The web page: its files with their headers, and the page that a failed navigation gets. It is built once, from the files of the package.

In a template, `{{word:NAME}}` stands for a text, `{{asset:NAME}}` for the address of another file, and `{{NAME}}` for a value.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple
from urllib.parse import quote

from transcoder.core.answer.page_paths import ASSETS_PATH, FILES_AT_ROOT
from transcoder.errors import TranscoderError

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "ico": "image/x-icon",
    "txt": "text/plain; charset=utf-8",
    "webmanifest": "application/manifest+json",
}
_TEMPLATES = ("index.html", "error.html", "manifest.webmanifest")
"""Files with marks in them; that of errors is filled in for each error."""
_MARK = re.compile(r"\{\{(?:(?P<kind>word|asset):)?(?P<name>[\w./-]+)\}\}")
_COMMENT = re.compile(rb"/\*.*?\*/ ?", re.DOTALL)
_INDENT = re.compile(rb"(?<=[;{,])\s*\n\s*|\s*\n\s*(?=})|(?<=\n)\s+")
_LANGUAGE = re.compile(r"\s*([a-z]{2,3})\b", re.IGNORECASE)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
_ELSEWHERE = " https:"
"""Added to the policy for forms, which covers redirects: that of the page without scripts may be redirected to a bucket."""
_FALLBACK = "en"
Words = Mapping[str, object]


class PageFile(NamedTuple):
    """One file of the page, as it is sent."""

    body: bytes
    headers: tuple[tuple[str, str], ...]


class Page(NamedTuple):
    """The files of the page by their paths, and what the page of an error is made of."""

    files: Mapping[str, PageFile]
    error_template: str
    assets: Mapping[str, str]
    """The address of each file by its name."""
    words: Mapping[str, Words]
    """The texts of each language, by its code."""

    def error_page(self, error: TranscoderError, *, accept_language: str, url: str, request_id: str) -> PageFile:
        """Return the page of an error: a sentence, what to do next, and the way to the page with the same `url` in its box, if any."""
        language = _preferred(accept_language, self.words)
        words = self.words[language]
        says, advice = error_sentence(words, error.slug)
        values = {
            "language": language,
            "says": says,
            "do": advice,
            "way-out": f"/#url={quote(url, safe='')}" if url else "/",
            "detail": " · ".join(part for part in (str(error), request_id) if part),
        }
        words = {**words, "to-page": words["to-page-again"]} if url else words
        text = _fill(self.error_template, words=words, assets=self.assets, values=values)
        return PageFile(text.encode(), (*_headers("html", "no-store"), ("vary", "accept, accept-language")))


def error_sentence(words: Words, slug: str) -> tuple[str, str]:
    """Return what has happened and what to do next, in the words of one language."""
    table = words["errors"]
    if not isinstance(table, Mapping):
        raise TypeError("errors is not a table")
    says, advice = table[slug]
    return str(says), str(advice)


def make_page(files: Mapping[str, bytes], *, signed: bool, redirects: bool) -> Page:
    """Return the page from its files by name (`page.js`, `words/en.json`).

    `signed` says that its links must be signed, `redirects` that downloads may be redirected to another host.
    """
    words: dict[str, Words] = {
        name.removeprefix("words/").removesuffix(".json"): json.loads(body) for name, body in files.items() if name.startswith("words/")
    }
    hashed = {name: _shortened(name, body) for name, body in files.items() if name not in {*FILES_AT_ROOT, *_TEMPLATES}}
    assets = {name: _asset_path(name, body) for name, body in hashed.items()}
    languages = " ".join(f"{language}={assets[f'words/{language}.json']}" for language in sorted(words))
    values = {"languages": languages, "signed": "yes" if signed else ""}

    def content(name: str) -> bytes:
        is_template = name in _TEMPLATES
        return _fill(files[name].decode(), words=words[_FALLBACK], assets=assets, values=values).encode() if is_template else files[name]

    served = {assets[name]: PageFile(body, _headers(name, "public, max-age=31536000, immutable")) for name, body in hashed.items()}
    served |= {f"/{name}": PageFile(content(name), _headers(name, "public, max-age=86400")) for name in FILES_AT_ROOT}
    served["/"] = PageFile(content("index.html"), _headers("index.html", "no-cache", elsewhere=_ELSEWHERE if redirects else ""))
    return Page(served, files["error.html"].decode(), assets, words)


def _asset_path(name: str, body: bytes) -> str:
    stem, _, extension = name.rpartition("/")[2].rpartition(".")
    return f"{ASSETS_PATH}{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{extension}"


def _shortened(name: str, body: bytes) -> bytes:
    """Return script, style sheet and texts without comments, indentation and most line ends. A third of the script is comments.

    No text in them contains `/*` or a line feed, which a test checks.
    """
    if name.endswith(".json"):
        return json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode()
    return _INDENT.sub(b"", _COMMENT.sub(b"", body)).lstrip() if name.endswith((".js", ".css")) else body


def _headers(name: str, cache_control: str, *, elsewhere: str = "") -> tuple[tuple[str, str], ...]:
    extension = name.rpartition(".")[2]
    headers = (("content-type", _TYPES[extension]), ("cache-control", cache_control), ("x-content-type-options", "nosniff"))
    if extension != "html":
        return headers
    return (*headers, ("content-security-policy", _POLICY + elsewhere), ("referrer-policy", "no-referrer"))


def _fill(template: str, *, words: Words, assets: Mapping[str, str], values: Mapping[str, str]) -> str:
    """Return a template with texts, addresses and values in place of its marks, escaped for HTML."""

    def value(mark: re.Match[str]) -> str:
        table: Mapping[str, object] = {"word": words, "asset": assets, None: values}[mark["kind"]]
        return escape(str(table[mark["name"]]))

    return _MARK.sub(value, template)


def _preferred(accept_language: str, known: Mapping[str, object]) -> str:
    """Return the first known language in an Accept-Language header, which browsers write in the order of preference."""
    languages: Sequence[str] = [found[1].lower() for part in accept_language.split(",") if (found := _LANGUAGE.match(part))]
    return next((language for language in languages if language in known), _FALLBACK)
