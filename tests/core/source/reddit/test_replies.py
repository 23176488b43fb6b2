"""Tests how Reddit's replies and refusals are told apart."""

import json
from pathlib import Path

import pytest

from transcoder.core.source.reddit import (
    Blocked,
    Found,
    NotThere,
    PostLink,
    is_html,
    parse_reply,
    read_json,
    read_refusal,
    read_token,
    refused,
    refused_detour,
)
from transcoder.core.source.reply import HttpReply
from transcoder.errors import NotFoundError, TranscoderError, UnsupportedSourceError, UpstreamBlockedError, UpstreamError

FIXTURES = Path(__file__).parents[4] / "fixtures" / "reddit"


def fixture(name: str) -> str:
    return (FIXTURES / name).read_text(encoding="utf-8")


def reply(name: str, status: int = 200) -> HttpReply:
    kind = "text/html" if name.endswith(".html") else "application/json; charset=UTF-8"
    return HttpReply("https://www.reddit.com/comments/p.json", status, kind, fixture(name))


@pytest.mark.parametrize(
    ("name", "status", "kind", "message"),
    [
        ("private.json", 403, UnsupportedSourceError, "private community"),
        ("quarantined.json", 403, UnsupportedSourceError, "quarantined"),
        ("gated.json", 403, UnsupportedSourceError, "gated"),
        ("banned.json", 404, UnsupportedSourceError, "banned"),
        ("no-such-post.json", 404, NotFoundError, "no such post"),
        ("forbidden.json", 403, UpstreamBlockedError, "Pass the address of the video itself"),
        ("blocked.html", 403, UpstreamBlockedError, "refuses to answer"),
        ("blocked.html", 200, UpstreamBlockedError, "refuses to answer"),
        ("login.html", 200, UpstreamBlockedError, "refuses to answer"),
        ("challenge.html", 429, UpstreamBlockedError, "refuses to answer"),
        ("login.html", 404, NotFoundError, "no such post"),
        ("login.html", 500, UpstreamError, "answered 500"),
    ],
)
def test_each_refusal_raises_its_own_error(name: str, status: int, kind: type[TranscoderError], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        parse_reply(reply(name, status))
    assert type(caught.value) is kind


def test_the_age_check_is_not_taken_for_a_block() -> None:
    page = HttpReply("https://www.reddit.com/over18?dest=x", 200, "text/html", fixture("login.html"))
    with pytest.raises(UnsupportedSourceError, match="for adults"):
        parse_reply(page)


@pytest.mark.parametrize(
    ("text", "content_type", "kind"),
    [
        (" <p>Hello</p>", "text/plain", UpstreamBlockedError),
        ("Hello", "text/html", UpstreamBlockedError),
        ("Hello", "text/plain", UpstreamError),
        ("{", "text/plain", UpstreamError),
        ("Whoa there, pardner!", "text/plain", UpstreamBlockedError),
    ],
)
def test_a_page_in_place_of_json_is_a_block(text: str, content_type: str, kind: type[TranscoderError]) -> None:
    with pytest.raises(kind) as caught:
        parse_reply(HttpReply("https://www.reddit.com/comments/p.json", 200, content_type, text))
    assert type(caught.value) is kind


@pytest.mark.parametrize("status", [200, 404, 403, 500])
def test_a_document_that_says_that_there_is_no_post_is_believed(status: int) -> None:
    with pytest.raises(NotFoundError, match=r"^Reddit has no such post\.$"):
        parse_reply(HttpReply("https://www.reddit.com/comments/p.json", status, "application/json", '{"error": 404}'))


def test_json_is_parsed_whatever_its_content_type() -> None:
    assert parse_reply(HttpReply("https://www.reddit.com/comments/p.json", 200, "text/plain", " [1]")) == [1]


@pytest.mark.parametrize(
    ("name", "status", "expected"),
    [
        ("private.json", 403, NotThere("The post is in a private community, which Reddit shows only to its members.")),
        ("no-such-post.json", 404, NotThere("Reddit has no such post.", NotFoundError)),
        ("image.json", 200, NotThere("The post is an image, not a video.")),
        ("blocked.html", 403, Blocked("403", UpstreamBlockedError)),
        ("login.html", 200, Blocked("a page without the post", UpstreamBlockedError)),
        ("login.html", 418, Blocked("418", UpstreamError)),
    ],
)
def test_each_reply_is_an_answer_of_the_step(name: str, status: int, expected: NotThere | Blocked) -> None:
    assert read_json(reply(name, status), PostLink("pimage")) == expected


@pytest.mark.parametrize("text", ["[]", "{}", "[{}]", '{"message": "Blocked"}', "null", '"x"', "5", "[[]]"])
def test_a_document_without_a_list_of_posts_does_not_say_that_there_is_no_post(text: str) -> None:
    answer = read_json(HttpReply("https://www.reddit.com/comments/p.json", 200, "application/json", text), PostLink("p"))
    assert answer == Blocked("a document without the post", UpstreamError)


def test_an_empty_list_of_posts_says_that_there_is_no_post() -> None:
    text = '[{"kind": "Listing", "data": {"children": []}}]'
    answer = read_json(HttpReply("https://www.reddit.com/comments/p.json", 200, "application/json", text), PostLink("p"))
    assert answer == NotThere("Reddit has no such post.", NotFoundError)


def test_a_document_about_another_post_is_no_answer() -> None:
    assert read_json(reply("2025-cmaf-profile.json"), PostLink("other")) == Blocked("a document without the post", UpstreamError)


@pytest.mark.parametrize("address", ["https://www.reddit.com/r/b/comments/other1/x/", "/r/b/comments/other1/x/", "https://redd.it/other1"])
def test_a_post_that_links_to_another_has_the_videos_of_that(address: str) -> None:
    post = {"id": "p", "title": "Look", "url": address}
    document = json.dumps([{"data": {"children": [{"data": post}]}}])
    answer = read_json(HttpReply("https://www.reddit.com/comments/p.json", 200, "application/json", document), PostLink("p"))
    assert isinstance(answer, Found)
    assert (answer.original, answer.post.title, answer.post.videos) == (PostLink("other1"), "Look", ())


def test_a_removed_post_that_links_to_another_is_not_followed() -> None:
    post = {"id": "p", "title": "Look", "url": "https://redd.it/other1", "removed_by_category": "moderator"}
    document = json.dumps([{"data": {"children": [{"data": post}]}}])
    answer = read_json(HttpReply("https://www.reddit.com/comments/p.json", 200, "application/json", document), PostLink("p"))
    assert isinstance(answer, NotThere)
    assert "removed" in answer.message


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ('{"access_token": "a", "expires_in": 60}', 200, ("a", 60.0)),
        ('{"access_token": "a"}', 200, ("a", 0.0)),
        ('{"access_token": "a\\nb", "expires_in": 60}', 200, Blocked("200, without an access token", UpstreamError)),
        ("[]", 200, Blocked("200, without an access token", UpstreamError)),
        ("{", 500, Blocked("500, without an access token", UpstreamError)),
        ("<html>", 200, Blocked("a page without the post", UpstreamBlockedError)),
        ("{}", 403, Blocked("403", UpstreamBlockedError)),
    ],
)
def test_a_token_is_read_or_its_refusal(text: str, status: int, expected: tuple[str, float] | Blocked) -> None:
    assert read_token(HttpReply("https://www.reddit.com/api/v1/access_token", status, "", text)) == expected


def test_a_refused_api_key_is_named() -> None:
    refusal = read_token(HttpReply("https://www.reddit.com/api/v1/access_token", 401, "application/json", "{}"))
    assert isinstance(refusal, Blocked)
    assert "API key" in refusal.reason


@pytest.mark.parametrize(
    ("status", "wait", "reason"),
    [
        (429, 60.4, "429, for 60 s"),
        (429, None, "429"),
        (429, 0.0, "429"),
        (403, 60.0, "403"),
        (500, None, "500"),
        (200, 9.0, "a page without the post"),
    ],
)
def test_how_long_reddit_wants_no_request_is_told(status: int, wait: float | None, reason: str) -> None:
    reply = HttpReply("https://www.reddit.com/comments/p/", status, "text/html", "<html>", wait=wait)
    assert refused(reply) == Blocked(reason, UpstreamBlockedError)
    assert read_refusal(reply) == (None if status == 200 else refused(reply))


DETOURS = {"login": "the login page", "register": "the login page", "over18": "the age check", "quarantine": "the page about quarantine"}


@pytest.mark.parametrize("name", DETOURS)
def test_a_detour_is_a_block_with_its_name(name: str) -> None:
    expected = Blocked(f"sent to {DETOURS[name]}", UpstreamBlockedError)
    for path in (f"/{name}", f"/{name.upper()}/", f"/de/{name}", f"/pt-BR/account/{name}/?dest=x", f"/account/{name}#x"):
        url = f"https://www.reddit.com{path}"
        assert refused_detour(url) == expected
        for reply in (HttpReply(url, 200, "text/html", ""), HttpReply("https://www.reddit.com/", 302, "", "", location=url)):
            assert read_refusal(reply) == refused(reply) == expected
    for path in (f"/r/{name}", f"/{name}s", f"/deu/{name}", f"/{name}/x", f"/?{name}"):
        assert refused_detour(f"https://www.reddit.com{path}") is None
    assert read_refusal(HttpReply("https://www.reddit.com/", 302, "", "", location="https://a.example/")) == Blocked(
        "sent to another site", UpstreamBlockedError
    )


@pytest.mark.parametrize(
    ("content_type", "text", "expected"),
    [
        *[
            ("text/html; charset=utf-8", "", True),
            ("application/xhtml+xml", "", True),
            ("", " <!DOCTYPE html>", True),
            ("", "<HTML>", True),
        ],
        *[("text/plain", "html", False), ("", "<feed>", False), ("", "a <html>", False), ("", "", False)],
    ],
)
def test_a_web_page_is_known_by_its_type_or_its_beginning(content_type: str, text: str, *, expected: bool) -> None:
    assert is_html(HttpReply("https://www.reddit.com/", 200, content_type, text)) is expected


@pytest.mark.parametrize(("url", "location"), [("https://www.reddit.com/login/", None), ("https://www.reddit.com/a", "https://a.example/")])
def test_a_document_from_elsewhere_is_a_block(url: str, location: str | None) -> None:
    with pytest.raises(UpstreamBlockedError, match="Reddit refuses to answer this server"):
        parse_reply(HttpReply(url, 200, "application/json", "[1]", location=location))


@pytest.mark.parametrize("reason", ["another", None, 5])
def test_a_reason_that_is_not_known_is_a_block(reason: object) -> None:
    with pytest.raises(UpstreamBlockedError):
        parse_reply(HttpReply("https://www.reddit.com/a", 403, "application/json", json.dumps({"reason": reason, "error": 403})))
