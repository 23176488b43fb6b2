"""Tests that a title becomes a file name that every system accepts, and the header with it."""

import re
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.answer.file_names import MAX_NAME_BYTES, content_disposition, file_name, subtitle_file_name, title_from_url
from transcoder.core.answer.function_url import ResponseHead, encode_prelude

TITLES = st.text() | st.text(alphabet="./\\:*?\"<>|\r\n\t -~_%'CONconux1\u202e\u200d\u0301é😀", max_size=300)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        pytest.param("A cat: the movie", "A cat- the movie.mp4", id="a colon"),
        pytest.param("What? <is> this*", "What is this.mp4", id="what Windows forbids"),
        pytest.param("AC/DC \\ live", "AC-DC - live.mp4", id="separators"),
        pytest.param("../../etc/passwd", "etc-passwd.mp4", id="parent folders"),
        pytest.param("cat.mp4", "cat.mp4", id="has the extension"),
        pytest.param(" cat.MP4 ", "cat.mp4", id="has the extension in capitals"),
        pytest.param("cat.webm", "cat.webm.mp4", id="has another extension"),
        pytest.param("con", "_con.mp4", id="a device"),
        pytest.param("LPT1.tar", "_LPT1.tar.mp4", id="a device with an extension"),
        pytest.param("console", "console.mp4", id="almost a device"),
        pytest.param("ends in dots...", "ends in dots.mp4", id="dots at the end"),
        pytest.param("-rf", "rf.mp4", id="an option"),
        pytest.param(".hidden", "hidden.mp4", id="hidden"),
        pytest.param('"\r\nSet-Cookie: a', "Set-Cookie- a.mp4", id="a header"),
        pytest.param("gpj.\u202e4pm", "gpj.4pm.mp4", id="text direction changed"),
        pytest.param("e\u0301te\u0301", "été.mp4", id="composed"),
        pytest.param("A*\u0300", "À.mp4", id="composed after a character between is dropped"),
        pytest.param("👩\u200d👩\u200d👧 ok", "👩\u200d👩\u200d👧 ok.mp4", id="an emoji of several parts"),
        pytest.param("日本語" * 60, "日本語" * 16 + ".mp4", id="long"),
        pytest.param("???", "video.mp4", id="nothing left"),
        pytest.param("", "video.mp4", id="empty"),
    ],
)
def test_makes_a_file_name_from_a_title(title: str, name: str) -> None:
    assert file_name(title, "mp4") == name


@given(TITLES)
def test_a_name_is_safe_everywhere(title: str) -> None:
    name = file_name(title, "mp4")
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert name.endswith(".mp4")
    assert not re.search(r'[\x00-\x1f\x7f<>:"/\\|?*]', name)
    assert name[0] not in " .-~"
    stem = name.removesuffix(".mp4")
    assert stem
    assert stem[-1] not in " ."
    assert not re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)", name.partition(".")[0].strip())
    assert {unicodedata.category(character) for character in name if character != "\u200d"}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})


@given(TITLES)
def test_a_file_name_made_again_is_unchanged(title: str) -> None:
    name = file_name(title, "mp4")
    assert file_name(name, "mp4") in {name, name.removeprefix("_")} or name.startswith("_")


@given(TITLES)
def test_the_header_contains_the_name_and_nothing_else(title: str) -> None:
    name = file_name(title, "mp4")
    header = content_disposition(name)
    assert encode_prelude(ResponseHead(200, (("content-disposition", header),)))  # type: ignore[arg-type]  # refuses invalid HTTP headers
    match = re.fullmatch(
        r"""attachment; filename="([A-Za-z0-9 !#$&'()+,.;=@\[\]^_`{}~-]+)"(?:; filename\*=UTF-8''([!#$&+.^_`|~0-9A-Za-z%-]+))?""", header
    )
    assert match
    assert unquote(match[2]) == name if match[2] else match[1] == name
    assert match[1].endswith(".mp4")


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a cat.mp4", 'attachment; filename="a cat.mp4"'),
        ("été.mp4", "attachment; filename=\"ete.mp4\"; filename*=UTF-8''%C3%A9t%C3%A9.mp4"),
        ("日本.mp4", "attachment; filename=\"video.mp4\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.mp4"),
        ("100%.mp4", "attachment; filename=\"100_.mp4\"; filename*=UTF-8''100%25.mp4"),
    ],
)
def test_writes_the_header(name: str, header: str) -> None:
    assert content_disposition(name) == header


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.example/videos/cat.m3u8?x=1", "cat.mp4"),
        ("https://v.redd.it/abc123/HLSPlaylist.m3u8", "abc123.mp4"),
        ("https://v.redd.it/abc123/DASH_720.mp4", "abc123.mp4"),
        ("https://a.example/show%20one/master.m3u8", "show one.mp4"),
        ("https://a.example/%22%0d%0aSet-Cookie.m3u8", "Set-Cookie.mp4"),
        ("https://a.example/..%2f..%2fetc.m3u8", "etc.mp4"),
        ("https://a.example/", "video.mp4"),
        ("https://a.example/clip", "clip.mp4"),
    ],
)
def test_makes_a_file_name_from_an_address(url: str, name: str) -> None:
    assert file_name(title_from_url(url), "mp4") == name


@pytest.mark.parametrize(
    ("given", "language", "name"),
    [
        pytest.param(None, "pt-BR", "A cat.pt-BR.vtt", id="the language"),
        pytest.param(None, None, "A cat.vtt", id="no language"),
        pytest.param(None, "a b", "A cat.vtt", id="no name of a language"),
        pytest.param(None, "x" * 35, f"A cat.{'x' * 35}.vtt", id="a long name of a language"),
        pytest.param(None, "x" * 36, "A cat.vtt", id="too long a name of a language"),
        pytest.param("mine", "en", "mine.vtt", id="the name that is given"),
        pytest.param("", "en", "video.vtt", id="an empty name that is given"),
    ],
)
def test_subtitles_are_named_for_their_language(given: str | None, language: str | None, name: str) -> None:
    assert subtitle_file_name(given, "A cat", language, "vtt") == name
