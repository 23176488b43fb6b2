"""The command lines for audio: what is encoded and how, what fills pauses, and what is cut."""

from itertools import pairwise

import pytest

from transcoder.core.media.streams import Container, Medium, Stream
from transcoder.core.media.timestamps import WRAP_SECONDS
from transcoder.core.output.ffmpeg_command import RemuxOptions, Silence, remux_command
from transcoder.core.output.ffmpeg_input import FfmpegInput
from transcoder.core.output.labels import Labels
from transcoder.core.request.output_format import Clip, FileFormat, OutputFormat, TimeWindow

MP3 = OutputFormat(FileFormat.MP3)
EXACT = Clip(0.0, 5.0, exact=True)


def audio(codec: str = "aac", start: float | None = 1.4, rate: int | None = 48_000, channels: int | None = 2) -> Stream:
    return Stream(Medium.AUDIO, codec, 0x101, start, rate, channels)


def command(*streams: Stream, remux: RemuxOptions, container: Container = Container.MPEGTS) -> list[str]:
    return remux_command("ffmpeg", [FfmpegInput(3, container, streams)] if streams else [], remux)


def options(words: list[str], *names: str) -> dict[str, str | None]:
    """Return the values of options of the output; None for those that are not there."""
    values = dict(pairwise(words[words.index("-map") if "-map" in words else 0 :]))
    return {name: values.get(f"-{name}") for name in names}


def filters(words: list[str]) -> list[str]:
    """Return the filters of each chain, with their options in alphabetic order and without escapes."""
    if "-filter_complex" not in words:
        return []
    chains = words[words.index("-filter_complex") + 1].replace("\\", "").split(";")
    return [chain.rpartition("]")[0].partition("]")[2].rpartition("[")[0] for chain in chains]


ENCODED = {"f": "mp3", "c:a": "libmp3lame", "b:a": "192000", "ac": "2", "reservoir": "0", "write_xing": "0", "id3v2_version": "0"}
COPIED = {"f": "mp4", "c:a": "copy", "b:a": None, "ac": None, "reservoir": None, "write_xing": None, "id3v2_version": None}


@pytest.mark.parametrize(
    ("stream", "output_format", "expected"),
    [
        pytest.param(audio("aac"), MP3, ENCODED, id="AAC"),
        pytest.param(audio("mp3"), MP3, COPIED, id="MP3"),
        pytest.param(audio("mp2"), MP3, ENCODED, id="layer II is not MP3"),
        pytest.param(audio("mp3"), OutputFormat(FileFormat.MP3, clip=Clip(1.0, 2.0)), ENCODED, id="a clip of MP3"),
        pytest.param(audio("mp3"), MP3.after(audio("mp3")), COPIED, id="MP3 after the same"),
        pytest.param(audio("mp3"), MP3.after(audio("mp3", rate=44_100)), ENCODED | {"ar": "44100"}, id="MP3 after another rate"),
        pytest.param(audio("mp3"), MP3.after(audio("aac")), ENCODED | {"ar": "48000"}, id="MP3 after what was encoded"),
        pytest.param(audio("aac"), MP3.after(audio("aac", rate=None)), ENCODED | {"ar": None}, id="after an unknown rate"),
    ],
)
def test_mp3_is_copied_where_it_is_one_and_else_encoded(
    stream: Stream, output_format: OutputFormat, expected: dict[str, str | None]
) -> None:
    assert options(command(stream, remux=RemuxOptions(output_format)), *expected) == expected


def test_silence_before_mp3_that_is_copied_has_its_format() -> None:
    silence = Silence("libmp3lame", 44_100, 1, start=2.5, seconds=3.0)
    words = command(remux=RemuxOptions(MP3.after(audio("mp3", rate=44_100, channels=1)), silence=silence))
    assert options(words, "c:a", "ac", "ar", "f") == {"c:a": "libmp3lame", "ac": "1", "ar": "44100", "f": "mp3"}
    assert ("-i", "anullsrc=r=44100:cl=mono") in pairwise(words)
    assert ("-t", "3.000") in pairwise(words)
    assert filters(words) == ["asetpts=PTS+2.500000/TB"]


@pytest.mark.parametrize(
    ("stream", "goes_on_from", "expected"),
    [
        pytest.param(audio(), None, ["aresample=async=1"], id="another clock"),
        pytest.param(audio(), 1.0, ["aresample=async=1:first_pts=48000:osr=48000"], id="the same clock"),
        pytest.param(audio(rate=None), 1.0, ["aresample=async=1:first_pts=48000:osr=48000"], id="an unknown rate"),
        pytest.param(audio(rate=44_100), 1.5, ["aresample=async=1:first_pts=66150:osr=44100"], id="44.1 kHz"),
        pytest.param(audio(start=0.5), WRAP_SECONDS - 0.5, ["aresample=async=1:first_pts=-24000:osr=48000"], id="over the wrap"),
        pytest.param(audio("mp3"), 1.0, [], id="copied"),
    ],
)
def test_an_mp3_has_silence_where_its_source_has_a_pause(stream: Stream, goes_on_from: float | None, expected: list[str]) -> None:
    assert filters(command(stream, remux=RemuxOptions(MP3, goes_on_from=goes_on_from))) == expected


@pytest.mark.parametrize(
    ("start", "window", "container", "expected"),
    [
        (1.4, TimeWindow(), Container.MPEGTS, []),
        (1.4, TimeWindow(2.0, None), Container.MPEGTS, ["atrim=start=2.000000"]),
        (1.4, TimeWindow(None, 5.5), Container.MPEGTS, ["aselect=lt(t,5.500000)"]),
        (0.5, TimeWindow(WRAP_SECONDS + 2.0, None), Container.MPEGTS, ["atrim=start=2.000000"]),
        (WRAP_SECONDS - 30, TimeWindow(WRAP_SECONDS - 20, None), Container.MPEGTS, ["atrim=start=-20.000000"]),
        (WRAP_SECONDS - 60, TimeWindow(WRAP_SECONDS - 50, None), Container.MPEGTS, ["atrim=start=-50.000000"]),
        (WRAP_SECONDS - 61, TimeWindow(WRAP_SECONDS - 51, None), Container.MPEGTS, [f"atrim=start={WRAP_SECONDS - 51:.6f}"]),
        (WRAP_SECONDS - 30, TimeWindow(WRAP_SECONDS - 20, None), Container.FMP4, [f"atrim=start={WRAP_SECONDS - 20:.6f}"]),
    ],
)
def test_what_is_encoded_is_cut_on_the_clock_that_ffmpeg_reads(
    start: float, window: TimeWindow, container: Container, expected: list[str]
) -> None:
    """ffmpeg reads a transport stream that begins within a minute of the wrap as if it began before 0."""
    remux = RemuxOptions(OutputFormat(FileFormat.M4A, clip=EXACT), window=window)
    assert filters(command(audio(start=start), remux=remux, container=container)) == expected


def test_what_is_copied_is_not_cut() -> None:
    assert filters(command(audio(), remux=RemuxOptions(window=TimeWindow(2.0, 3.0)))) == []


@pytest.mark.parametrize(("channels", "bits"), [(1, 80_000), (2, 160_000), (6, 480_000), (8, 640_000), (None, 160_000), (0, 160_000)])
def test_aac_has_eighty_kilobits_for_each_channel(channels: int | None, bits: int) -> None:
    words = command(audio("dts", channels=channels), remux=RemuxOptions())
    assert options(words, "c:a", "b:a") == {"c:a": "aac", "b:a": str(bits)}


@pytest.mark.parametrize(("rate", "expected"), [(44_100, "44100"), (96_000, "96000"), (192_000, "96000"), (None, None)])
def test_aac_has_the_rate_of_its_source_as_far_as_there_is_one(rate: int | None, expected: str | None) -> None:
    assert options(command(audio("dts", rate=rate), remux=RemuxOptions()), "ar") == {"ar": expected}


@pytest.mark.parametrize(
    ("window", "start", "seconds"),
    [
        (TimeWindow(), 10.0, 4.0),
        (TimeWindow(11.0, None), 11.0, 3.0),
        (TimeWindow(None, 12.0), 10.0, 2.0),
        (TimeWindow(11.0, 12.5), 11.0, 1.5),
        (TimeWindow(9.0, 99.0), 10.0, 4.0),
        (TimeWindow(14.0, None), 14.0, 0.0),
        (TimeWindow(20.0, None), 20.0, 0.0),
    ],
)
def test_silence_is_cut_to_the_clip(window: TimeWindow, start: float, seconds: float) -> None:
    assert Silence("aac", 48_000, 2, 10.0, 4.0).within(window) == Silence("aac", 48_000, 2, start, seconds)


@pytest.mark.parametrize(("language", "tag"), [("de", "language=deu"), ("en", "language=eng"), (None, None), ("xx-not-one", None)])
def test_the_audio_says_its_language(language: str | None, tag: str | None) -> None:
    words = command(audio(), remux=RemuxOptions(labels=Labels({"title": "A film"}, language)))
    assert [value for name, value in pairwise(words) if name == "-metadata:s:a:0"] == ([tag] if tag else [])
    assert ("-metadata:g:0", "title=A film") in pairwise(words)


FRAGMENTED = (
    "-avoid_negative_ts disabled -frag_duration 1000000 -movflags frag_keyframe+delay_moov+default_base_moof+frag_discont -use_editlist 0"
)
COPY = f"{FRAGMENTED} -c:v copy -c:a copy -copyinkf -map_metadata -1 -strict unofficial"
MP3_FRAMES = "-flush_packets 0 -id3v2_version 0 -write_xing 0 -map_metadata -1 -c:a libmp3lame -b:a 192000 -ac 2 -reservoir 0"


@pytest.mark.parametrize(
    ("stream", "output_format", "expected"),
    [
        pytest.param(audio("ac3"), OutputFormat(), f"-f mp4 {COPY}", id="MP4"),
        pytest.param(audio("aac"), OutputFormat(FileFormat.M4A), f"-f ipod {COPY} -bsf:a aac_adtstoasc", id="M4A"),
        pytest.param(audio("mp3"), MP3, f"-f mp4 {FRAGMENTED} -c:a copy -map_metadata -1 -strict unofficial", id="MP3 that is copied"),
        pytest.param(audio("aac"), MP3, f"-f mp3 {MP3_FRAMES}", id="MP3 that is encoded"),
    ],
)
def test_an_output_has_these_options_and_no_others(stream: Stream, output_format: OutputFormat, expected: str) -> None:
    words = command(stream, remux=RemuxOptions(output_format))
    after_streams = len(words) - words[::-1].index("-map") + 1
    assert sorted(words[after_streams : words.index("pipe:1")]) == sorted(expected.split())
    assert words[words.index("pipe:1") + 1 :] == ["-nostdin", "-hide_banner", "-loglevel", "warning"]


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        (Container.MPEGTS, "-f mpegts -analyzeduration 60000000 -probesize 33554432 -scan_all_pmts 0"),
        (Container.FMP4, "-f mov"),
        (Container.MP4, "-f mp4 -advanced_editlist 0"),
        (Container.ADTS, "-f aac"),
    ],
)
def test_an_input_has_these_options_and_no_others(container: Container, expected: str) -> None:
    words = command(audio("aac"), remux=RemuxOptions(), container=container)
    assert sorted(words[1 : words.index("-i")]) == sorted(f"{expected} -copyts -protocol_whitelist pipe".split())
