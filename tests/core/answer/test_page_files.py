"""The files of the web page: what each is said to be, and what becomes of the marks in its templates."""

import json
import re
from html import escape
from pathlib import Path

import pytest

import transcoder
from transcoder.core.answer.page import make_page
from transcoder.errors import BadRequestError

FOLDER = Path(transcoder.__file__).parent / "page"
FILES = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}
TYPES = {
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
"""The media types that IANA lists, and that of an icon as browsers know it."""


def test_each_file_has_the_media_type_of_its_extension() -> None:
    page = make_page(FILES, signed=False, redirects=False)
    found = {path.rpartition(".")[2] if path != "/" else "html": dict(file.headers)["content-type"] for path, file in page.files.items()}
    assert found == TYPES
    assert {dict(file.headers)["x-content-type-options"] for file in page.files.values()} == {"nosniff"}


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("redirects", [False, True])
def test_marks_are_texts_addresses_and_values(*, signed: bool, redirects: bool) -> None:
    template = "{{word:title}}|{{asset:page.js}}|{{languages}}|{{signed}}"
    page = make_page({**FILES, "index.html": template.encode()}, signed=signed, redirects=redirects)
    title, script, languages, sign = page.files["/"].body.decode().split("|")
    assert (title, sign) == (page.words["en"]["title"], "yes" if signed else "")
    assert page.files[script].body
    assert {code: page.assets[f"words/{code}.json"] for code in page.words} == dict(each.split("=") for each in languages.split(" "))
    policy = dict(page.files["/"].headers)["content-security-policy"]
    assert policy.endswith("form-action 'self' https:") is redirects
    assert policy.endswith("form-action 'self'") is not redirects


def test_what_is_put_in_place_of_a_mark_is_escaped() -> None:
    page = make_page({**FILES, "error.html": b"{{says}}|{{detail}}|{{way-out}}"}, signed=False, redirects=False)
    error = BadRequestError('<b> & "c"')
    body = page.error_page(error, accept_language="en", url="https://a.example/?b=<c>&d", request_id="7").body.decode()
    says, detail, way_out = body.split("|")
    assert says
    assert detail == "&lt;b&gt; &amp; &quot;c&quot; · 7"
    assert way_out == "/#url=https%3A%2F%2Fa.example%2F%3Fb%3D%3Cc%3E%26d"


def test_each_file_is_kept_as_long_as_its_address_says_what_is_in_it() -> None:
    page = make_page(FILES, signed=False, redirects=False)
    kept = {path: dict(file.headers)["cache-control"] for path, file in page.files.items()}
    assert {each for path, each in kept.items() if path in page.assets.values()} == {"public, max-age=31536000, immutable"}
    assert {each for path, each in kept.items() if path != "/" and path not in page.assets.values()} == {"public, max-age=86400"}
    assert kept["/"] == "no-cache"


def test_pages_lead_nobody_back_and_load_nothing_from_elsewhere() -> None:
    page = make_page(FILES, signed=False, redirects=False)
    error = page.error_page(BadRequestError("x"), accept_language="en", url="", request_id="")
    for headers in (dict(page.files["/"].headers), dict(error.headers)):
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith("default-src 'none'")
    assert dict(error.headers)["cache-control"] == "no-store"
    assert dict(error.headers)["vary"] == "accept, accept-language"
    assert not [path for path, file in page.files.items() if path != "/" and "referrer-policy" in dict(file.headers)]


@pytest.mark.parametrize(("accepted", "language"), [("de-AT, en;q=0.5", "de"), ("xx, de", "de"), ("xx", "en"), ("", "en")])
def test_an_error_page_is_in_the_first_language_that_is_known(accepted: str, language: str) -> None:
    page = make_page({**FILES, "error.html": b"{{language}}|{{word:to-page}}|{{way-out}}"}, signed=False, redirects=False)
    body = page.error_page(BadRequestError("x"), accept_language=accepted, url="", request_id="").body.decode()
    assert body.split("|")[0::2] == [language, "/"]


def test_files_are_sent_with_what_they_say_and_without_what_nobody_reads() -> None:
    page = make_page(FILES, signed=False, redirects=False)
    for name, path in page.assets.items():
        body = page.files[path].body
        if name.endswith(".json"):
            assert json.loads(body) == json.loads(FILES[name])
            assert len(body.splitlines()) == 1
        elif name.endswith((".js", ".css")):
            assert not re.search(rb"/\*|\n\s|^\s", body)
            tokens, kept = (re.findall(rb"[^\s;]+", re.sub(rb"/\*.*?\*/", b"", each, flags=re.DOTALL)) for each in (FILES[name], body))
            assert b"".join(tokens) == b"".join(kept)
        else:
            assert body == FILES[name]
    assert page.files["/robots.txt"].body == FILES["robots.txt"]


def test_the_address_of_a_file_names_it_and_changes_with_it() -> None:
    page = make_page(FILES, signed=False, redirects=False)
    other = make_page({**FILES, "page.js": FILES["page.js"] + b"0"}, signed=False, redirects=False)
    assert {name for name in page.assets if page.assets[name] != other.assets[name]} == {"page.js"}
    assert re.fullmatch(r"/assets/page\.[0-9a-f]{12}\.js", page.assets["page.js"])
    assert re.fullmatch(r"/assets/en\.[0-9a-f]{12}\.json", page.assets["words/en.json"])


def test_an_error_has_a_sentence_advice_and_a_way_out_in_the_words_of_its_language() -> None:
    template = b"{{says}}|{{do}}|{{word:to-page}}|{{detail}}"
    page = make_page({**FILES, "error.html": template}, signed=False, redirects=False)
    for language, words in page.words.items():
        table = words["errors"]
        assert isinstance(table, dict)
        for url, way_out in (("", words["to-page"]), ("https://a.example/", words["to-page-again"])):
            answer = page.error_page(BadRequestError(""), accept_language=f"{language.upper()}-X", url=url, request_id="7")
            expected = [*table[BadRequestError.slug], way_out, "7"]
            assert answer.body.decode().split("|") == [escape(str(each)) for each in expected]
