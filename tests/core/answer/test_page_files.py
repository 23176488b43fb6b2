"""The files of the web page: what each is said to be, and what becomes of the marks in its templates."""

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
