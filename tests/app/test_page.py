"""The page, its files, the pages of failed navigations, and the links that the page gets where links must be signed."""

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import Serve
from peers.application import Answered, ask, ask_all

import transcoder
from transcoder.core.answer.page import error_sentence
from transcoder.errors import OutputError, TranscoderError
from transcoder.settings import Settings

SETTINGS = Settings(allow_private=True, attempts=1)
SIGNED = Settings(allow_private=True, attempts=1, signing_keys=("a key of sixteen or more",), page_links=True)
FOLDER = Path(transcoder.__file__).parent / "page"
LANGUAGES = sorted((FOLDER / "words").glob("*.json"))
NAVIGATION = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "sec-fetch-mode": "navigate"}
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}
Media = Callable[[str], Path]


def addresses_in(page: Answered) -> set[str]:
    """Return the addresses of the files that the page names."""
    return set(re.findall(r"/assets/[\w.-]+", page.body.decode()))


def slugs() -> set[str]:
    """Return the slugs of all errors that a caller can get."""

    def below(kind: type[TranscoderError]) -> Iterator[type[TranscoderError]]:
        yield kind
        for each in kind.__subclasses__():
            yield from below(each)

    return {kind.slug for kind in below(TranscoderError)} - {kind.slug for kind in below(OutputError)}


def words_of(path: Path) -> dict[str, object]:
    words = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(words, dict)
    return words


def test_without_an_address_the_page_is_sent_and_revalidated() -> None:
    page = ask("/", settings=SETTINGS)
    assert (page.status, page.headers["content-type"], page.headers["cache-control"]) == (200, "text/html; charset=utf-8", "no-cache")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    again = ask("/", settings=SETTINGS, headers={"if-none-match": page.headers["etag"]})
    assert (again.status, bytes(again.body), again.headers["etag"]) == (304, b"", page.headers["etag"])
    assert bytes(ask("", settings=SETTINGS).body) == bytes(page.body)
    assert bytes(ask("/?link=https%3A%2F%2Fa.example%2Fv&text=x", settings=SETTINGS).body) == bytes(page.body)
    head = ask("/", settings=SETTINGS, method="HEAD")
    assert (head.headers, bytes(head.body)) == (page.headers, b"")


@pytest.mark.parametrize(
    ("bucket", "files_url", "elsewhere"),
    [("a-bucket", "", True), ("a-bucket", "https://files.example/", True), ("a-bucket", "/", False), ("", "/", False), ("", "", False)],
)
def test_the_form_of_the_page_may_lead_elsewhere_where_files_are_in_a_bucket_on_another_host(
    bucket: str, files_url: str, *, elsewhere: bool
) -> None:
    page = ask("/", settings=SETTINGS._replace(bucket=bucket, files_url=files_url))
    assert page.headers["content-security-policy"].endswith("form-action 'self' https:") is elsewhere


def test_all_files_of_the_page_are_there_and_never_change() -> None:
    named = addresses_in(ask("/", settings=SETTINGS)) | addresses_in(ask("/manifest.webmanifest", settings=SETTINGS))
    files = dict(zip(named, ask_all(sorted(named), settings=SETTINGS), strict=True))
    assert {path.rpartition(".")[2] for path in named} == {"css", "js", "json", "svg", "png"}
    assert {(file.status, file.headers["cache-control"]) for file in files.values()} == {(200, "public, max-age=31536000, immutable")}
    assert ask("/assets/page.000000000000.js", settings=SETTINGS).problem[:2] == (404, "not-found")


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/favicon.ico", "image/x-icon"),
        ("/robots.txt", "text/plain; charset=utf-8"),
        ("/manifest.webmanifest", "application/manifest+json"),
    ],
)
def test_browsers_and_robots_find_what_they_look_for(path: str, content_type: str) -> None:
    file = ask(path, settings=SETTINGS)
    assert (file.status, file.headers["content-type"], file.headers["cache-control"]) == (200, content_type, "public, max-age=86400")
    assert file.body


def test_the_manifest_lets_apps_share_links_with_the_page() -> None:
    manifest = ask("/manifest.webmanifest", settings=SETTINGS).document
    assert manifest["share_target"]["params"]["url"] == "link"
    assert manifest["name"] == words_of(FOLDER / "words" / "en.json")["title"]


def test_no_mark_of_a_template_is_left() -> None:
    for answer in ask_all(["/", "/manifest.webmanifest"], settings=SETTINGS):
        assert b"{{" not in answer.body


def test_the_page_weighs_less_than_60_kilobytes() -> None:
    """A visit loads everything but the texts of the other languages; it is measured with the longest."""
    named = addresses_in(ask("/", settings=SETTINGS)) | addresses_in(ask("/manifest.webmanifest", settings=SETTINGS))
    sizes = {path: len(ask(path, settings=SETTINGS).body) for path in [*named, "/", "/favicon.ico", "/robots.txt", "/manifest.webmanifest"]}
    texts = [size for path, size in sizes.items() if path.endswith(".json")]
    assert len(texts) == len(LANGUAGES)
    assert sum(sizes.values()) - sum(texts) + max(texts) < 60_000, sizes


def test_comments_can_be_left_out_of_script_and_style_sheet() -> None:
    for name in ("page.js", "page.css"):
        source = (FOLDER / name).read_text(encoding="utf-8")
        assert source.count("/*") == source.count("*/"), name
        assert not re.search(r"([\"'`])[^\"'`\n]*/\*[^\"'`\n]*\1", re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)), name
        assert "`" not in re.sub(r"`[^`\n]*`", "", re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)), "a text of several lines"


def test_nothing_in_the_page_is_inline() -> None:
    text = ask("/", settings=SETTINGS).body.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)
    script = (FOLDER / "page.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|localStorage|document\.cookie", script)
    assert not re.search(r"https?://(?!www\.w3\.org)", text + script.replace('"https://"', ""))


def test_with_an_address_the_video_is_sent_as_before(media: Media, serve: Serve) -> None:
    url = serve(media("ts-muxed")).url("/main.m3u8")
    for query in (f"url={url}", f"URL={url}", f"height=720&url={url}"):
        assert ask(f"/?{query}", settings=SETTINGS).headers["content-type"] == "video/mp4"


def test_an_operator_can_turn_the_page_off() -> None:
    off = Settings(page=False)
    assert ask("/", settings=off).problem[:2] == (400, "bad-request")
    for path in ("/favicon.ico", "/link?url=https%3A%2F%2Fa.example%2F"):
        assert ask(path, settings=off, headers=SAME_ORIGIN).problem[:2] == (404, "not-found")
    assert ask("/none", settings=off, headers=NAVIGATION).problem[:2] == (404, "not-found")


def test_the_daily_limit_does_not_close_the_page(media: Media, serve: Serve) -> None:
    url = serve(media("ts-muxed")).url("/main.m3u8")
    answers = ask_all([f"/download?url={url}", "/", f"/info?url={url}"], settings=Settings(allow_private=True, daily_bytes=1000))
    assert [answer.status for answer in answers] == [200, 200, 503]


def test_a_navigation_that_fails_gets_a_page_with_the_way_out() -> None:
    url = "https://a.example/v.m3u8?x=1&y=<b>"
    target = f"/download?hight=<script>&url={url}"
    answer = ask(target, settings=SETTINGS, headers=NAVIGATION)
    text = answer.body.decode()
    assert (answer.status, answer.headers["cache-control"]) == (400, "no-store")
    assert "This is not a link to a video." in text
    way_out = unescape(re.findall(r'class="primary" href="([^"]*)"', text)[0])
    assert way_out == f"/#url={quote(url, safe='')}"
    assert "<script>" not in text
    assert "{{" not in text
    german = ask(target, settings=SETTINGS, headers={**NAVIGATION, "accept-language": "tlh, de-AT;q=0.9, en;q=0.8"})
    assert "Das ist kein Link zu einem Video." in german.body.decode()
    assert '<html lang="de">' in german.body.decode()


def test_scripts_and_players_still_get_problem_documents() -> None:
    for accept in ("*/*", "application/json", "text/html;q=0"):
        assert ask("/download?hight=3", settings=SETTINGS, headers={"accept": accept}).problem[:2] == (400, "bad-request")


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda path: path.stem)
def test_each_error_has_a_sentence_and_a_next_step_in_each_language(language: Path) -> None:
    words = words_of(language)
    for slug in slugs():
        assert all(text.endswith(".") for text in error_sentence(words, slug)), slug


def test_all_languages_have_the_same_texts() -> None:
    english = words_of(FOLDER / "words" / "en.json")
    marks = re.compile(r"\{\w+\}")
    for path in LANGUAGES:
        words = words_of(path)
        assert list(words) == list(english)
        assert list(words["errors"]) == list(english["errors"])  # type: ignore[call-overload]  # both are tables
        for name, text in words.items():
            assert sorted(marks.findall(str(text))) == sorted(marks.findall(str(english[name]))), name


def test_the_script_uses_each_text_and_no_other() -> None:
    text = "".join((FOLDER / name).read_text(encoding="utf-8") for name in ("page.js", "index.html", "error.html"))
    text += (Path(transcoder.__file__).parent / "core/answer/page.py").read_text(encoding="utf-8")
    english = words_of(FOLDER / "words" / "en.json")
    unused = [name for name in english if not re.search(rf"[\":]{name}[\"}}]", text)]
    assert unused == []
    said = set(re.findall(r'say\("([\w-]+)"', text)) | set(re.findall(r'data-(?:word|label|placeholder)="([\w-]+)"', text))
    assert said <= set(english)
    problems = set(re.findall(r'new Problem\("([\w-]+)"', text))
    assert problems <= set(english["errors"])  # type: ignore[call-overload]  # it is a table


def test_where_links_must_be_signed_the_page_gets_one_for_a_short_time(media: Media, serve: Serve) -> None:
    url = serve(media("ts-muxed")).url("/main.m3u8")
    assert b'data-signed="yes"' in ask("/", settings=SIGNED).body
    assert b'data-signed=""' in ask("/", settings=SETTINGS).body
    answer = ask(f"/link?height=180&url={url}", settings=SIGNED, headers=SAME_ORIGIN)
    assert (answer.status, answer.headers["cache-control"], answer.headers["content-type"]) == (200, "no-store", "application/json")
    assert (answer.headers["x-content-type-options"], answer.headers["vary"]) == ("nosniff", "sec-fetch-site")
    assert answer.document["seconds"] <= 900
    signed = ask_all([f"/{route}?{answer.document['query']}" for route in ("info", "download")], settings=SIGNED)
    assert [each.status for each in signed] == [200, 200]
    assert ask(f"/info?{answer.document['query']}&mute=1", settings=SIGNED).problem[:2] == (403, "bad-signature")


def test_where_links_must_be_signed_there_is_no_page_unless_the_operator_wants_it() -> None:
    closed = SIGNED._replace(page_links=False)
    assert ask("/", settings=closed).problem[0] == 403
    assert ask("/link?url=https%3A%2F%2Fa.example%2Fv.m3u8", settings=closed, headers=SAME_ORIGIN).problem[0] == 404


@pytest.mark.parametrize("site", [None, "cross-site", "same-site", "none"])
def test_only_scripts_of_the_same_host_get_links(site: str | None) -> None:
    headers = {} if site is None else {"sec-fetch-site": site}
    answer = ask("/link?url=https%3A%2F%2Fa.example%2Fv.m3u8", settings=SIGNED, headers=headers)
    assert answer.problem[:2] == (403, "bad-signature")


def test_a_link_with_invalid_parameters_is_refused() -> None:
    answer = ask("/link?hight=3&url=https%3A%2F%2Fa.example%2Fv.m3u8", settings=SIGNED, headers=SAME_ORIGIN)
    assert answer.problem[:2] == (400, "bad-request")


def test_links_that_need_no_signature_have_none() -> None:
    answer = ask("/link?url=https%3A%2F%2Fa.example%2Fv.m3u8", settings=SETTINGS, headers=SAME_ORIGIN)
    assert answer.document["query"] == "url=https%3A%2F%2Fa.example%2Fv.m3u8"
