from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import make_media
import pytest
from generated_video import GeneratedVideo, encoder_arguments, run_ffmpeg
from hypothesis import given
from hypothesis import strategies as st
from peers.segment_inspection import copy_with_ffmpeg, inspect_segments, probe_segment, read_segments, split_at

from transcoder.core.media.inspector import inspector
from transcoder.core.media.streams import Container, Medium
from transcoder.core.media.timestamps import WRAP_SECONDS
from transcoder.errors import ProgramChangedError, UnsupportedSourceError, UpstreamError

PACKET = 188
PLAIN = ["ts-muxed", "ts-audio-only", "ts-video-only", "ts-hevc", "ts-mp3", "ts-ac3", "ts-eac3"]
PLAIN += [
    "fmp4-muxed",
    "fmp4-hevc",
    "fmp4-av1",
    "fmp4-vp9",
    "fmp4-mp3",
    "fmp4-ac3",
    "fmp4-eac3",
    "fmp4-opus",
    "fmp4-flac",
    "fmp4-edit-lists",
]
JUDGED = ["ts-muxed", "fmp4-muxed"]
HTML = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body>Gone. Great Good Gone.</body></html>\n"


@cache
def stream(name: str) -> tuple[bytes, list[bytes]]:
    return read_segments(make_media.media(name))


@pytest.mark.parametrize("name", PLAIN)
def test_samples_and_times_are_those_that_ffmpeg_copies(name: str) -> None:
    init, segments = stream(name)
    judge, through = inspect_segments(segments, init=init)
    assert through == b"".join(segments)
    probe = probe_segment(segments[0], init=init)
    expected = copy_with_ffmpeg(init + through, probe.container.value)
    assert judge.samples == {medium: stream.samples for medium, stream in expected.items()}
    starts = {medium: probe.first(medium) for medium in expected}
    assert {medium: stream and stream.start for medium, stream in starts.items()} == pytest.approx(
        {medium: stream.start for medium, stream in expected.items()}, abs=0.001
    )
    assert judge.ends == pytest.approx({medium: stream.end for medium, stream in expected.items()}, abs=0.035)


@pytest.mark.parametrize("name", JUDGED)
@given(cuts=st.lists(st.integers(0, 200_000), max_size=30))
def test_nothing_depends_on_how_a_segment_comes(name: str, cuts: list[int]) -> None:
    init, segments = stream(name)
    whole, _ = inspect_segments(segments[:2], init=init)
    judge = inspector(probe_segment(segments[0], init=init), init=init)
    through = b""
    for segment in segments[:2]:
        judge.begin()
        through += b"".join(judge.feed(piece) for piece in split_at(segment, (min(cut, len(segment)) for cut in cuts))) + judge.end()
    assert through == b"".join(segments[:2])
    assert (judge.samples, judge.starts) == (whole.samples, whole.starts)
    assert judge.ends == pytest.approx(whole.ends)


def html(segment: bytes) -> bytes:
    return (HTML * (len(segment) // len(HTML) + 1))[: len(segment)]


def noise(segment: bytes) -> bytes:
    third = len(segment) // 3
    return segment[:third] + Random(7).randbytes(third) + segment[2 * third :]  # noqa: S311 - rubbish, not a secret


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "html": html,
    "empty": lambda _: b"",
    "garbage": lambda segment: Random(3).randbytes(len(segment)),  # noqa: S311 - rubbish, not a secret
    "cut": lambda segment: segment[: len(segment) // 2 - len(segment) // 2 % PACKET + 1],
    "hole": lambda segment: segment[: len(segment) // 3 // PACKET * PACKET] + segment[2 * len(segment) // 3 // PACKET * PACKET + 1 :],
}


@pytest.mark.parametrize("name", [*JUDGED, "ts-audio-only"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_segment_is_refused(name: str, damage: str) -> None:
    init, segments = stream(name)
    probe = probe_segment(segments[0], init=init)
    with pytest.raises(UpstreamError):
        inspect_segments([segments[0], DAMAGES[damage](segments[1])], init=init, probe_of=probe)


def test_noise_in_the_middle_of_a_transport_stream_is_refused() -> None:
    _, segments = stream("ts-muxed")
    with pytest.raises(UpstreamError, match="packets do not follow"):
        inspect_segments([segments[0], noise(segments[1])])


def test_noise_in_sound_of_whole_packets_is_refused() -> None:
    _, segments = stream("ts-audio-only")
    packets = [segments[0][at : at + PACKET] for at in range(0, len(segments[0]), PACKET)]
    third = len(packets) // 3
    noisy = [
        packet[:4] + bytes(PACKET - 4) if third < number < 2 * third and packet[1] & 0x5F == 1 else packet
        for number, packet in enumerate(packets)
    ]
    with pytest.raises(UpstreamError, match="sound is damaged"):
        inspect_segments([b"".join(noisy)])


def test_segment_with_less_media_than_announced_is_refused() -> None:
    init, segments = stream("fmp4-muxed")
    at = segments[0].find(b"mdat") - 4
    short = segments[0][:at] + (16).to_bytes(4, "big") + b"mdat" + bytes(8)
    with pytest.raises(UpstreamError, match="less media"):
        inspect_segments([short], init=init, probe_of=probe_segment(segments[0], init=init))


def test_initialization_section_in_each_segment_is_let_through() -> None:
    init, segments = stream("fmp4-muxed")
    alone, _ = inspect_segments(segments, init=init)
    judge, through = inspect_segments([init + segment for segment in segments])
    assert through == b"".join(init + segment for segment in segments)
    assert (judge.samples, judge.ends) == (alone.samples, alone.ends)


def test_another_initialization_section_of_which_no_tag_tells_is_refused() -> None:
    init, segments = stream("fmp4-muxed")
    at = init.index(b"avcC") + 12
    other = init[:at] + bytes([init[at] ^ 1]) + init[at + 1 :]
    with pytest.raises(UnsupportedSourceError, match="initialization section"):
        inspect_segments([init + segments[0], other + segments[1]])


@pytest.mark.parametrize("piece", [100, 65536])
def test_picture_before_the_transport_stream_is_taken_off(piece: int) -> None:
    _, segments = stream("ts-muxed")
    junk = b"\x89PNG\r\n\x1a\nGGGG" + bytes(700)
    probe = probe_segment(junk + segments[0])
    judge, through = inspect_segments([junk + segment for segment in segments], chunk_bytes=piece, probe_of=probe)
    assert probe.skip == len(junk)
    assert through == b"".join(segments)
    assert judge.samples == inspect_segments(segments)[0].samples


def test_sound_cut_anywhere_by_segment_borders_is_counted_once() -> None:
    _, segments = stream("ts-muxed")
    film = b"".join(segments)
    cut = (len(film) // PACKET // 3 + 1) * PACKET
    judge, _ = inspect_segments([film[at : at + cut] for at in range(0, len(film), cut)], probe_of=probe_segment(segments[0]))
    assert judge.samples == inspect_segments(segments)[0].samples


def test_sound_at_another_rate_is_refused_where_no_tag_tells_of_it(tmp_path: Path) -> None:
    parts = []
    for rate in (48_000, 44_100):
        run_ffmpeg("-f", "lavfi", "-i", f"sine=r={rate}:d=1", "-c:a", "aac", "-f", "adts", tmp_path / f"{rate}.aac")
        parts.append((tmp_path / f"{rate}.aac").read_bytes())
    judge = inspector(probe_segment(parts[0]))
    for part in (parts[0], parts[0]):
        judge.begin()
        judge.feed(part)
        judge.end()
    judge.begin()
    with pytest.raises(UnsupportedSourceError, match="sampling rate"):
        judge.feed(parts[1])


def test_changed_program_map_is_told_apart() -> None:
    _, muxed = stream("ts-muxed")
    _, alone = stream("ts-video-only")
    with pytest.raises(ProgramChangedError):
        inspect_segments([muxed[0], alone[0]])
    with pytest.raises(ProgramChangedError):
        inspect_segments([alone[0], muxed[0]])


def test_scrambled_packets_are_refused() -> None:
    _, segments = stream("ts-video-only")
    scrambled = bytearray(segments[1])
    for at in range(0, len(scrambled), PACKET):
        if scrambled[at + 1] & 0x1F == 1 and scrambled[at + 2] == 0:
            scrambled[at + 3] |= 0x80
    with pytest.raises(UnsupportedSourceError, match="scrambled"):
        inspect_segments([segments[0], bytes(scrambled)])


def test_times_go_on_over_the_wrap_of_the_clock(tmp_path: Path) -> None:
    run_ffmpeg(*encoder_arguments(GeneratedVideo(seconds=3, timestamp_offset=WRAP_SECONDS - 2)), tmp_path / "wrap.ts")
    film = (tmp_path / "wrap.ts").read_bytes()
    judge, _ = inspect_segments([film])
    assert judge.samples == {medium: stream.samples for medium, stream in copy_with_ffmpeg(film, "mpegts").items()}
    probe = probe_segment(film)
    for medium, end in judge.ends.items():
        first = probe.first(medium)
        assert first
        assert first.start
        assert end - first.start == pytest.approx(3, abs=0.1)
        assert end > WRAP_SECONDS


def test_each_segment_tells_its_own_start() -> None:
    _, segments = stream("ts-muxed")
    judge = inspector(probe_segment(segments[0]))
    starts = []
    for segment in segments:
        judge.begin()
        assert not judge.starts
        judge.feed(segment)
        judge.end()
        starts.append(judge.starts[Medium.VIDEO])
    assert starts == pytest.approx([starts[0], starts[0] + 2, starts[0] + 4])


def test_containers_have_their_own_judges() -> None:
    assert {probe_segment(stream(name)[1][0], init=stream(name)[0]).container for name in JUDGED} == {Container.MPEGTS, Container.FMP4}


def test_media_of_fragments_is_not_held() -> None:
    init, segments = stream("fmp4-video-only")
    judge = inspector(probe_segment(segments[0], init=init), init=init)
    judge.begin()
    judge.feed(segments[0] + (64 << 20).to_bytes(4, "big") + b"free")
    block = bytes(1 << 20)
    assert all(judge.feed(block) is block for _ in range(63))
    assert judge.feed(block[8:]) == block[8:]
    judge.end()
    assert judge.samples[Medium.VIDEO] > 0
