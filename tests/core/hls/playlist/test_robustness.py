"""Tests limits, parsing time, and that any text is parsed or refused."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peers.drawn_inputs import examples
from peers.playlists import FIXTURES, URL, outcome, parse_media, parse_or_refusal, read_playlist

from transcoder.core.hls.planner import make_plan
from transcoder.core.hls.playlist import MediaPlaylist, parse
from transcoder.errors import UnsupportedSourceError


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("#EXTINF:1,\n1.ts\n" * 100_001, id="segments"),
        pytest.param("#EXT-X-DISCONTINUITY\n" * 500_001, id="lines"),
        pytest.param("".join(f'#EXT-X-KEY:METHOD=AES-128,KEYFORMAT="{number}"\n' for number in range(100)), id="keys"),
    ],
)
def test_segments_lines_and_keys_have_a_limit(lines: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=r"is too long|more than 32 keys"):
        parse(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n{lines}1.ts\n", URL)


@pytest.mark.parametrize(
    "value", ["a" * 200_000, "a " * 100_000, '"' * 200_000, "a=" * 100_000, 'a="' * 70_000, "9" * 200_000, "'" * 200_000]
)
@pytest.mark.parametrize("tag", ["#EXT-X-STREAM-INF:", "#EXT-X-MEDIA:", "#EXT-X-KEY:", "#EXT-X-DEFINE:", "#EXTINF:", ""])
def test_a_long_line_is_parsed_quickly(tag: str, value: str) -> None:
    started = time.process_time()
    assert outcome(parse_or_refusal(f"#EXTM3U\n{tag}{value}\n1.ts\n"))
    assert time.process_time() - started < 1


def test_ten_thousand_segments_are_planned_in_under_a_second() -> None:
    segments = "".join(f"#EXTINF:6.006,\nvideo/part_{number}.ts?token=abc\n" for number in range(10_000))
    started = time.process_time()
    plan = make_plan(parse_media(f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n{segments}#EXT-X-ENDLIST"))
    assert time.process_time() - started < 1
    assert len(plan.periods[0].tracks[0].segments) == 10_000


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    assert outcome(parse_or_refusal(text))
    assert outcome(parse_or_refusal(f"#EXTM3U\n#EXTINF:4,\n{text}"))


TEXTS = [read_playlist(path.stem) for path in sorted(FIXTURES.glob("*.m3u8"))]
LINES = sorted({line for text in TEXTS for line in text.splitlines()})
JUNK = ['"', ",", "=", ":", "@", "'", "[", "//[", "%", "\x85", "-1", "nan", "1e999", "9" * 40, "²", "{$a}", "\n", "\r", "\x00"]
REPLACEMENTS = st.sampled_from([*JUNK, *(f"\n{line}\n" for line in LINES), ""])


@st.composite
def mangled(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(text)))
        until = draw(st.integers(place, min(len(text), place + 12)))
        text = text[:place] + draw(REPLACEMENTS) + text[until:]
    return text


@given(mangled(), mangled())
@settings(max_examples=examples(400))
def test_a_mangled_playlist_is_parsed_or_refused(text: str, other: str) -> None:
    playlist = parse_or_refusal(other)
    assert outcome(parse_or_refusal(text), audio=playlist if isinstance(playlist, MediaPlaylist) else None)
