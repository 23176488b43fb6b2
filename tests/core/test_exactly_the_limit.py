"""What is exactly as long as a limit allows is taken, and what has one more is refused or left out."""

import pytest

from transcoder.core.answer.file_names import MAX_NAME_BYTES, file_name
from transcoder.core.answer.passthrough import MAX_CONDITION_CHARACTERS, range_headers
from transcoder.core.hls.playlist.media_segments import MAX_KEYS
from transcoder.core.hls.playlist.parse import MAX_VARIANTS, parse
from transcoder.core.hls.playlist.uris import MAX_CHARACTERS, UriResolver
from transcoder.core.hls.playlist.variables import substitute
from transcoder.core.media.audio_tags import MAX_TAGS, tags_length
from transcoder.core.media.mp4_source.sequence_numbers import MAX_STEPS, SequenceNumbers
from transcoder.core.media.mpegts.elementary_stream import ElementaryStream
from transcoder.core.media.mpegts.payload_units import Payloads
from transcoder.core.media.packet_evidence import MAX_UNITS
from transcoder.core.media.streams import Medium, Stream
from transcoder.core.media.subtitles.webvtt import MAX_CUE_CHARACTERS, parse_webvtt
from transcoder.core.request.job import MAX_URL_CHARACTERS, checked_url
from transcoder.core.request.query import MAX_PARAMETERS, parse_query
from transcoder.core.source.reddit.json_values import get_positive_number
from transcoder.errors import BadRequestError, DamagedMediaError, UnsupportedSourceError

ONE_MORE = pytest.mark.parametrize("more", [0, 1])
REFUSED = (BadRequestError, UnsupportedSourceError, DamagedMediaError)


def is_refused(run: object, *arguments: object) -> bool:
    assert callable(run)
    try:
        run(*arguments)
    except REFUSED:
        return True
    return False


@ONE_MORE
def test_an_address(more: int) -> None:
    start = "https://a.example/"
    for address in (start, "s3://bucket/"):
        url = address.ljust(MAX_URL_CHARACTERS + more, "a")
        assert is_refused(checked_url, url) == bool(more)


@ONE_MORE
def test_parameters_of_a_query(more: int) -> None:
    query = "&".join(f"a{number}=b" for number in range(MAX_PARAMETERS + more))
    assert is_refused(parse_query, query) == bool(more)
    if not more:
        assert len(parse_query(query).values) == MAX_PARAMETERS


@ONE_MORE
def test_a_condition_on_a_range(more: int) -> None:
    headers = {"range": "bytes=0-9", "if-range": '"'.ljust(MAX_CONDITION_CHARACTERS + more, "a")}
    assert bool(range_headers(headers)) == (not more)


@ONE_MORE
def test_variants(more: int) -> None:
    text = "#EXTM3U\n" + "#EXT-X-STREAM-INF:BANDWIDTH=1\na\n" * (MAX_VARIANTS + more)
    assert is_refused(parse, text, "https://a.example/main.m3u8") == bool(more)


@ONE_MORE
def test_lines_of_a_multivariant_playlist(more: int) -> None:
    variant, rendition = "#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a"\n'
    text = "#EXTM3U\n" + variant + rendition * (3 * MAX_VARIANTS - 3 + more)
    assert is_refused(parse, text, "https://a.example/main.m3u8") == bool(more)


@ONE_MORE
def test_an_address_in_a_playlist(more: int) -> None:
    reference = "a" * (MAX_CHARACTERS + more)
    assert is_refused(UriResolver("https://a.example/main.m3u8").resolve, reference) == bool(more)
    assert UriResolver("https://a.example/main.m3u8").resolve("data:" + reference) == "data:" + reference


@ONE_MORE
def test_keys_in_force_at_once(more: int) -> None:
    keys = [f'#EXT-X-KEY:METHOD=AES-128,URI="k{number}",KEYFORMAT="f{number}"' for number in range(MAX_KEYS + more)]
    text = "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:6", *keys, "#EXTINF:6,", "a.ts", "#EXT-X-ENDLIST", ""])
    assert is_refused(parse, text, "https://a.example/main.m3u8") == bool(more)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_what_variables_add_to_a_line(more: int) -> None:
    line_limit = 65_536
    lines = [f'#EXT-X-DEFINE:NAME="a",VALUE="{"b" * 1000}"', "{$a}" * 65 + "c" * (line_limit - 65_000 + more)]
    assert is_refused(substitute, lines, "https://a.example/", {}) == (more > 0)


@ONE_MORE
def test_tags_in_front_of_packed_audio(more: int) -> None:
    tag = b"ID3\4\0\0\0\0\0\x0a" + bytes(10)
    head = tag * (MAX_TAGS + more) + b"\xff\xf1" + bytes(20)
    if more:
        with pytest.raises(DamagedMediaError, match=f"more than {MAX_TAGS} tags"):
            tags_length(head)
    else:
        assert tags_length(head) == MAX_TAGS * len(tag)


@ONE_MORE
def test_the_length_of_a_tag(more: int) -> None:
    """A megabyte, with the ten bytes of its header."""
    size = 1024 * 1024 - 10 + more
    head = b"ID3\4\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127])
    assert is_refused(tags_length, head + bytes(20)) == bool(more)


@ONE_MORE
def test_a_cue_of_subtitles(more: int) -> None:
    text = b"WEBVTT\n\n00:00.000 --> 00:01.000\n" + b"a" * (MAX_CUE_CHARACTERS + more) + b"\n"
    assert is_refused(parse_webvtt, text) == bool(more)


@pytest.mark.parametrize("extension", ["mp4", "m4a", "webm"])
@pytest.mark.parametrize("letter", ["a", "é", "日", "🎬"])
def test_a_file_name_has_as_many_bytes_as_allowed_and_no_half_letter(extension: str, letter: str) -> None:
    name = file_name(letter * 500, extension)
    stem = name.removesuffix(f".{extension}")
    assert set(stem) == {letter}
    width = len(letter.encode())
    assert MAX_NAME_BYTES - 1 - width < len(name.encode()) <= MAX_NAME_BYTES


@pytest.mark.parametrize(("number", "found"), [(0, None), (-1, None), (1, 1.0), (99, 99.0), (100, None), (True, None), ("5", None)])
def test_a_number_of_a_reply(number: object, found: float | None) -> None:
    assert get_positive_number({"a": number}, "a", limit=100) == found


@pytest.mark.parametrize("more", [-1, 0])
def test_so_many_different_steps_of_fragments_are_counted(more: int) -> None:
    """A further step becomes the usual one, however often it comes, only if there is room to count it."""
    numbers, at, new = SequenceNumbers(), 0, 5000
    for step in [*range(2, MAX_STEPS + 2 + more), new, new, new]:
        numbers.add(at, after_gap=False)
        at += step
    numbers.add(at, after_gap=False)
    numbers.begin_segment()
    numbers.add(at + new, after_gap=False)
    assert numbers.goes_on == (more < 0)


def test_so_many_first_payloads_of_a_segment_are_remembered() -> None:
    stream = ElementaryStream(Stream(Medium.AUDIO, "dts", 0x101, 0.0))
    for number in range(MAX_UNITS + 10):
        stream.take(Payloads([b"\0\0\1\xbd\0\0\x80\0\0" + number.to_bytes(4)], begins_unit=True))
    assert len(stream.segment.units) == MAX_UNITS
