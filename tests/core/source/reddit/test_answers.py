"""Tests what is said when no step has an answer, and what a crosspost keeps."""

import pytest

from transcoder.core.source.reddit import Asked, Blocked, Image, NotThere, Post, PostLink, Video, crossposted, unanswered_error
from transcoder.errors import (
    NotFoundError,
    TranscoderError,
    UnsupportedSourceError,
    UpstreamBlockedError,
    UpstreamError,
    UpstreamTimeoutError,
)

REFUSED, UNTOLD = Blocked("403", UpstreamBlockedError), Blocked("a gallery, whose videos it does not list")
FAILED, LATE = Blocked("500", UpstreamError), Blocked("no answer in time", UpstreamTimeoutError)


@pytest.mark.parametrize(
    ("answers", "kind", "message"),
    [
        ([REFUSED, REFUSED], UpstreamBlockedError, "Reddit refuses to answer this server. Asked: the page 0 (403), the page 1 (403). Pass"),
        ([REFUSED, FAILED], UpstreamBlockedError, "Reddit refuses to answer this server. Asked: the page 0 (403), the page 1 (500). Pass"),
        ([UNTOLD, REFUSED], UpstreamBlockedError, "Reddit does not tell this server where the video is. Asked: the page 0 (a gallery,"),
        ([UNTOLD], UpstreamBlockedError, "Reddit does not tell this server where the video is."),
        ([FAILED, LATE], UpstreamError, "Reddit failed. Asked: the page 0 (500), the page 1 (no answer in time)."),
        ([LATE, LATE], UpstreamTimeoutError, "Reddit failed. Asked: the page 0 (no answer in time)"),
    ],
)
def test_the_error_says_what_was_asked(answers: list[Blocked], kind: type[TranscoderError], message: str) -> None:
    error = unanswered_error([Asked(f"step{number}", f"the page {number}", answer) for number, answer in enumerate(answers)])
    assert type(error) is kind
    assert str(error).startswith(message)
    if isinstance(error, UpstreamBlockedError):
        assert error.steps == ", ".join(f"step{number}: {answer.reason}" for number, answer in enumerate(answers))


def post(**fields: object) -> Post:
    return Post("a title", "aww", "https://www.reddit.com/a", (), **fields)  # type: ignore[arg-type]  # the fields are those of Post


@pytest.mark.parametrize(
    ("own", "originals", "expected"),
    [(None, True, True), (False, True, True), (True, False, True), (False, None, False), (None, None, None)],
)
def test_a_crosspost_is_for_adults_if_its_original_is(own: bool | None, originals: bool | None, expected: bool | None) -> None:  # noqa: FBT001
    assert crossposted(post(over_18=own), post(over_18=originals)).over_18 is expected


@pytest.mark.parametrize(("own", "originals", "expected"), [("a", "b", "b"), ("a", None, "a"), (None, "b", "b"), (None, None, None)])
def test_a_crosspost_of_a_crosspost_has_the_videos_of_the_first_post(own: str | None, originals: str | None, expected: str | None) -> None:
    own_link, other_link, link = (name and PostLink(name) for name in (own, originals, expected))
    assert crossposted(post(original=own_link), post(original=other_link)).original == link


def test_a_crosspost_takes_over_videos_and_missing_images() -> None:
    own, other, videos = Image("https://a.example/1"), Image("https://a.example/2"), (Video("https://v.redd.it/a/HLSPlaylist.m3u8"),)
    original = Post("another", "other", "https://www.reddit.com/b", videos, 2.0, "another", thumbnail=other, poster=other)
    got = crossposted(post(author="someone", posted=1.0, thumbnail=own), original)
    assert got == Post("a title", "aww", "https://www.reddit.com/a", videos, 1.0, "someone", thumbnail=own, poster=other)


def test_what_is_not_there_has_its_own_error() -> None:
    for kind in (NotFoundError, UnsupportedSourceError):
        error = NotThere("It is gone.", kind).error()
        assert (type(error), str(error)) == (kind, "It is gone.")
    assert NotThere("It is gone.").kind is UnsupportedSourceError
