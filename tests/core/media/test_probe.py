import pytest
from generated_video import GeneratedVideo, encoder_arguments, run_ffmpeg
from make_media import media
from peers.segment_inspection import copy_with_ffmpeg, inspect_segments, probe_segment, read_segments

from transcoder.core.media.inspector import inspector_for
from transcoder.core.media.mpegts.program_tables import read_program
from transcoder.core.media.presentation_ends import presentation_ends
from transcoder.core.media.probe import probe
from transcoder.core.media.streams import Container, Medium
from transcoder.errors import UnsupportedSourceError, UpstreamError

CODECS = {
    "ts-muxed": (Container.MPEGTS, "h264", "aac"),
    "ts-hevc": (Container.MPEGTS, "hevc", "aac"),
    "ts-mp3": (Container.MPEGTS, "h264", "mp3"),
    "ts-ac3": (Container.MPEGTS, "h264", "ac3"),
    "ts-eac3": (Container.MPEGTS, "h264", "eac3"),
    "fmp4-muxed": (Container.FMP4, "h264", "aac"),
    "fmp4-hevc": (Container.FMP4, "hevc", "aac"),
    "fmp4-av1": (Container.FMP4, "av1", "aac"),
    "fmp4-vp9": (Container.FMP4, "vp9", "aac"),
    "fmp4-mp3": (Container.FMP4, "h264", "mp3"),
    "fmp4-ac3": (Container.FMP4, "h264", "ac3"),
    "fmp4-eac3": (Container.FMP4, "h264", "eac3"),
    "fmp4-opus": (Container.FMP4, "h264", "opus"),
    "fmp4-flac": (Container.FMP4, "h264", "flac"),
}


@pytest.mark.parametrize("name", CODECS)
def test_container_and_codecs_are_found(name: str) -> None:
    init, segments = read_segments(media(name))
    found = probe_segment(segments[0], init=init)
    assert (found.container, *(stream.codec for stream in found.streams)) == CODECS[name]
    audio = found.main(Medium.AUDIO)
    assert audio
    assert (audio.sample_rate, audio.channels) == (48000, 2)


@pytest.mark.parametrize("name", CODECS)
def test_first_bytes_give_the_same_result_as_the_whole_segment(name: str) -> None:
    init, segments = read_segments(media(name))
    found = probe_segment(segments[0], init=init)
    heads = [probe(segments[0][:size], init=init, whole=False) for size in range(0, len(segments[0]), 1501)]
    results = [head for head in heads if head]
    assert heads[0] is None
    assert results
    assert all(head == found for head in results)


def test_announced_stream_without_packets_has_no_start() -> None:
    _, segments = read_segments(media("ts-muxed"))
    packets = (segments[0][at : at + 188] for at in range(0, len(segments[0]), 188))
    segment = b"".join(packet for packet in packets if packet[1] & 0x1F != 1 or packet[2] != 1)
    found = probe_segment(segment)
    audio = found.main(Medium.AUDIO)
    assert probe(segment, whole=False) is None
    assert audio
    assert (audio.codec, audio.start) == ("aac", None)


HTML = b"<!DOCTYPE html><html><body>Good Gone Great</body></html>"


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"", UpstreamError),
        (b"G", UpstreamError),
        (HTML, UpstreamError),
        (HTML * 5000, UpstreamError),
        (b"\n\n  " + HTML, UpstreamError),
        (b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello", UpstreamError),
        (bytes(100_000), UpstreamError),
        (b"G" * 300_000, UpstreamError),
        (b"ID3\4\0\0\0\0\0\0" + bytes(1000), UpstreamError),
        (b"ID3\4\0\0\x7f\x7f\x7f\x7f" + bytes(1000), UpstreamError),
        (b"\0\0\0\x18ftypmp42" + bytes(12), UpstreamError),
        (b"\0\0\0\x09moof" + bytes(12), UpstreamError),
        (b"\xff\xf1" + bytes(400), UpstreamError),
        (b"\x1a\x45\xdf\xa3" + bytes(400), UnsupportedSourceError),
        (b"\0\0\0\1\x67" + bytes(400), UnsupportedSourceError),
        (b"OggS" + bytes(400), UnsupportedSourceError),
    ],
)
def test_bytes_that_are_not_media_are_refused(head: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        probe(head, whole=True)


OTHER_CONTAINERS = [
    (b"\x1a\x45\xdf\xa3" + bytes(400), "WebM"),
    (b"\x1f\x43\xb6\x75" + bytes(400), "WebM"),
    (b"FLV\1\5" + bytes(400), "FLV"),
    (b"RIFF\0\0\1\0AVI LIST" + bytes(400), "AVI"),
    (b"RIFF\0\0\1\0WAVEfmt " + bytes(400), "WAV"),
    (b"OggS" + bytes(400), "Ogg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(400), "ASF"),
    (b"\0\0\1\xba" + bytes(400), "an MPEG program stream"),
    (b"\0\0\1\xb3" + bytes(400), "MPEG video"),
]


@pytest.mark.parametrize(("head", "name"), OTHER_CONTAINERS)
def test_a_container_that_hls_does_not_use_is_named(head: bytes, name: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=f"The source's segments are {name}"):
        probe(head, whole=False)


@pytest.mark.parametrize(("head", "name"), OTHER_CONTAINERS[:7])
def test_another_container_is_named_wherever_it_stands(head: bytes, name: str) -> None:
    """In the initialization section, or in a segment behind one of a fragmented MP4 or a transport stream."""
    fragments, (segment, *_) = read_segments(media("fmp4-muxed"))
    _, (packets, *_) = read_segments(media("ts-muxed"))
    for init, body in ((head, segment), (head, head), (head, packets), (fragments, head), (packets[: 3 * 188], head)):
        with pytest.raises(UnsupportedSourceError, match=f"The source's segments are {name}"):
            probe(body, init=init, whole=False)


@pytest.mark.parametrize("head", [HTML, b"OggS" + bytes(400)])
def test_recognizable_other_formats_are_refused_by_their_first_bytes(head: bytes) -> None:
    with pytest.raises((UpstreamError, UnsupportedSourceError)):
        probe(head, whole=False)


def test_encrypted_fragments_are_refused() -> None:
    init, segments = read_segments(media("fmp4-muxed"))
    for clear, encrypted in ((b"avc1", b"encv"), (b"mp4a", b"enca")):
        at = init.find(clear, init.find(b"stsd", init.find(b"vide" if clear == b"avc1" else b"soun")))
        with pytest.raises(UnsupportedSourceError, match="protected"):
            probe_segment(segments[0], init=init[:at] + encrypted + init[at + 4 :])


@pytest.mark.parametrize("kind", [0xDB, 0xCF, 0xC1, 0xC2])
def test_sample_aes_is_refused_by_its_stream_type(kind: int) -> None:
    section = bytes([2, 0xB0, 18, 0, 1, 0xC1, 0, 0, 0xE1, 0, 0xF0, 0, kind, 0xE1, 0, 0xF0, 0]) + bytes(4)
    with pytest.raises(UnsupportedSourceError, match="protected"):
        read_program(section)


@pytest.mark.parametrize(
    ("kind", "descriptors", "codec"),
    [
        (0x1B, b"", "h264"),
        (0x24, b"", "hevc"),
        (0x02, b"", "mpeg2video"),
        (0x0F, b"", "aac"),
        (0x11, b"", "aac_latm"),
        (0x03, b"", "mp3"),
        (0x81, b"", "ac3"),
        (0x82, b"", "dts"),
        (0x87, b"", "eac3"),
        (0x06, b"\x05\x04AC-3", "ac3"),
        (0x06, b"\x0a\x04eng\0\x6a\x01\0", "ac3"),
        (0x06, b"\x7a\x01\0", "eac3"),
        (0x06, b"\x05\x04EAC3", "eac3"),
        (0x06, b"\x05\x04Opus\x7f\x02\x80\x02", "opus"),
        (0x06, b"\x05\x04HEVC", "hevc"),
        (0x06, b"\x05\x04KLVA", None),
        (0x15, b"\x26\x0d\xff\xffID3 \xffID3 \0\x1f\0\1", None),
        (0x86, b"", None),
    ],
)
def test_stream_types_and_descriptors_name_the_codec(kind: int, descriptors: bytes, codec: str | None) -> None:
    entry = bytes([kind, 0xE1, 0, 0xF0, len(descriptors)]) + descriptors
    program = read_program(bytes([2, 0xB0, 13 + len(entry), 0, 1, 0xC1, 0, 0, 0xE1, 0, 0xF0, 0]) + entry + bytes(4))
    assert program
    assert [stream.codec for stream in program.streams] == ([codec] if codec else [])


def test_plain_mp4_is_recognized_by_its_sample_tables(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("mp4") / "video.mp4"
    run_ffmpeg(*encoder_arguments(GeneratedVideo(seconds=1, timestamp_offset=0)), "-movflags", "+faststart", file)
    data = file.read_bytes()
    found = probe(data, whole=True)
    assert found
    assert (found.container, [stream.codec for stream in found.streams]) == (Container.MP4, ["h264", "aac"])
    inspector = inspector_for(found)
    inspector.begin()
    inspector.feed(data)
    inspector.end()
    assert inspector.samples == {Medium.VIDEO: 25, Medium.AUDIO: 48}
    inspector.begin()
    inspector.feed(data[:-10_000])
    with pytest.raises(UpstreamError):
        inspector.end()


def test_initialization_section_must_not_list_samples(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("mp4") / "video.mp4"
    run_ffmpeg(*encoder_arguments(GeneratedVideo(seconds=1)), "-movflags", "+faststart", file)
    with pytest.raises(UnsupportedSourceError, match="plain MP4"):
        probe(b"\0\0\0\x10moof\0\0\0\0\0\0\0\0", init=file.read_bytes(), whole=True)


def test_negative_composition_offsets_count_as_the_standard_says(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The first frame is presented at its decode time, though others are presented before theirs."""
    file = tmp_path_factory.mktemp("mp4") / "video.mp4"
    run_ffmpeg(
        *encoder_arguments(GeneratedVideo(seconds=1, timestamp_offset=0)),
        "-movflags",
        "+frag_keyframe+delay_moov+negative_cts_offsets",
        file,
    )
    found = probe_segment(file.read_bytes())
    video, audio = found.main(Medium.VIDEO), found.main(Medium.AUDIO)
    assert video
    assert audio
    assert video.start == 0
    assert audio.start == pytest.approx(0, abs=0.03)
    assert presentation_ends(file.read_bytes(), found) == pytest.approx({Medium.VIDEO: 1, Medium.AUDIO: 1}, abs=0.03)


def test_layer_two_is_distinguished_from_layer_three(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("ts") / "audio.ts"
    run_ffmpeg("-f", "lavfi", "-i", "sine=d=1", "-c:a", "mp2", file)
    inspector, _ = inspect_segments([file.read_bytes()])
    assert [stream.codec for stream in probe_segment(file.read_bytes()).streams] == ["mp2"]
    assert inspector.samples[Medium.AUDIO] == 39


def test_fragments_may_begin_before_zero() -> None:
    init, segments = read_segments(media("fmp4-video-only"))
    at = segments[0].find(b"tfdt\1") + 8
    early = segments[0][:at] + (-12800).to_bytes(8, "big", signed=True) + segments[0][at + 8 :]
    found = probe_segment(early, init=init).main(Medium.VIDEO)
    assert found
    assert found.start == pytest.approx(copy_with_ffmpeg(init + early, "mov")[Medium.VIDEO].start)
    assert (found.start or 0) < 0
