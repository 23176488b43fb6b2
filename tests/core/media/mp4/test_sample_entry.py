"""Sample entries: what each registered type and object type means, and what is read of an entry that is cut short."""

import struct

import pytest

from transcoder.core.media.mp4.boxes import Box, Mp4Error, box, full_box
from transcoder.core.media.mp4.sample_entry import SampleEntry, read_esds, sample_entries

ENTRY_TYPES = {
    "h264": ["avc1", "avc2", "avc3", "avc4", "dva1", "dvav"],
    "hevc": ["hvc1", "hev1", "dvh1", "dvhe"],
    "av1": ["av01", "dav1"],
    "vp9": ["vp09"],
    "vp8": ["vp08"],
    "mpeg4": ["mp4v"],
    "mp3": [".mp3"],
    "ac3": ["ac-3"],
    "eac3": ["ec-3"],
    "opus": ["Opus"],
    "flac": ["fLaC"],
    "alac": ["alac"],
    "dts": ["dtsc", "dtsh", "dtsl", "dtse"],
    "truehd": ["mlpa"],
    "pcm": ["ipcm", "fpcm", "lpcm", "sowt", "twos", "in24", "in32", "fl32"],
}
"""As the MP4 Registration Authority and QuickTime list them."""
OBJECT_TYPES = {
    0x40: "aac", 0x66: "aac", 0x67: "aac", 0x68: "aac", 0x69: "mp3", 0x6B: "mp3", 0xA5: "ac3", 0xA6: "eac3", 0xA9: "dts", 0xAD: "opus",
    0xDD: "vorbis", 0x6A: "mp4a", 0xFE: "mp4a",
}  # fmt: skip
"""As the MP4 Registration Authority lists them; what is not known here is not guessed."""


def descriptor(tag: int, content: bytes, *, length_bytes: int = 1) -> bytes:
    size = len(content)
    length = bytes([0x80 | size >> 7 * place & 0x7F for place in range(length_bytes - 1, 0, -1)] + [size & 0x7F])
    return bytes([tag]) + length + content


def esds(object_type: int, info: bytes | None = b"\x11\x90", *, flags: int = 0, length_bytes: int = 1) -> bytes:
    """Return an `esds` (ISO/IEC 14496-1, 7.2.6.5): `flags` announce a stream that it depends on, an address, and a clock.

    The other five bits are a priority.
    """
    optional = (b"\0\1" if flags & 0x80 else b"") + (b"\4name" if flags & 0x40 else b"") + (b"\0\2" if flags & 0x20 else b"")
    specific = b"" if info is None else descriptor(5, info, length_bytes=length_bytes)
    config = descriptor(4, bytes([object_type, 0x15]) + bytes(11) + specific, length_bytes=length_bytes)
    stream = descriptor(3, b"\0\1" + bytes([flags]) + optional + config + descriptor(6, b"\2"), length_bytes=length_bytes)
    return full_box(b"esds", 0, 0, stream)


def audio_entry(kind: bytes, *boxes: bytes, version: int = 0, channels: int = 2, rate: int = 48_000) -> SampleEntry:
    extra = bytes({0: 0, 1: 16, 2: 36}[version])
    fields = bytes(6) + b"\0\1" + struct.pack(">HHIHHHHI", version, 0, 0, channels, 16, 0, 0, rate << 16)
    return SampleEntry(Box.whole(box(kind, fields, extra, *boxes)))


def video_entry(kind: bytes, *boxes: bytes, size: tuple[int, int] = (640, 360)) -> SampleEntry:
    return SampleEntry(Box.whole(box(kind, bytes(6) + b"\0\1" + bytes(16) + struct.pack(">HH", *size) + bytes(50), *boxes)))


@pytest.mark.parametrize(("codec", "kind"), [(codec, kind) for codec, kinds in ENTRY_TYPES.items() for kind in kinds])
def test_each_type_of_an_entry_names_its_codec(codec: str, kind: str) -> None:
    assert audio_entry(kind.encode()).codec == codec


def test_a_type_that_is_not_known_names_itself() -> None:
    assert audio_entry(b"what").codec == "what"
    assert audio_entry(b"mp4a").codec == "aac"


@pytest.mark.parametrize(("object_type", "codec"), OBJECT_TYPES.items())
@pytest.mark.parametrize("version", [0, 1, 2])
def test_each_object_type_names_its_codec(object_type: int, codec: str, version: int) -> None:
    assert audio_entry(b"mp4a", esds(object_type), version=version).codec == codec


@pytest.mark.parametrize(("version", "fields"), [(1, 16), (2, 36)])
def test_the_fields_of_a_quicktime_entry_are_not_searched_for_boxes(version: int, fields: int) -> None:
    written = audio_entry(b"mp4a", esds(0x6B), version=version).box.raw
    for at in range(36, 36 + fields - 7, 4):
        entry = SampleEntry(Box.whole(written[:at] + box(b"esds") + written[at + 8 :]))
        assert entry.codec == "mp3"


@pytest.mark.parametrize("flags", [0, 0x80, 0x40, 0x20, 0xE0, 0xA0, 0x1F, 0x9F, 0x5F, 0x3F])
@pytest.mark.parametrize("length_bytes", [1, 2, 3, 4])
def test_descriptors_are_read_whatever_is_before_them_and_however_their_length_is_written(flags: int, length_bytes: int) -> None:
    found = read_esds(Box.whole(esds(0x40, b"\x12\x10", flags=flags, length_bytes=length_bytes)))
    assert (found.object_type, found.decoder_info) == (0x40, b"\x12\x10")


@pytest.mark.parametrize("spare", [b"", b"\5"])
def test_a_stream_may_end_without_information_for_its_decoder(spare: bytes) -> None:
    config = descriptor(4, bytes([0x40, 0x15]) + bytes(11))
    found = read_esds(Box.whole(full_box(b"esds", 0, 0, descriptor(3, b"\0\1\0" + config), spare)))
    assert (found.object_type, found.decoder_info) == (0x40, b"")


def test_a_length_of_more_than_four_bytes_is_refused() -> None:
    with pytest.raises(Mp4Error, match="too many bytes"):
        read_esds(Box.whole(esds(0x40, length_bytes=5)))


def test_an_esds_cut_at_any_byte_is_refused_or_says_what_the_whole_says() -> None:
    whole = esds(0x40, flags=0x20)
    expected = read_esds(Box.whole(whole))
    outcomes = set()
    for size in range(13, len(whole)):
        cut = Box.whole(struct.pack(">I", size) + whole[4:size])
        try:
            found = read_esds(cut)
        except Mp4Error:
            outcomes.add("refused")
            continue
        assert found.object_type == expected.object_type
        assert expected.decoder_info.startswith(found.decoder_info)
        outcomes.add("read")
    assert outcomes == {"refused", "read"}


@pytest.mark.parametrize(
    ("object_type", "info", "expected"),
    [
        (0x40, b"\x11\x90", (2, 3, 2)),
        (0x40, b"\x12\x08", (2, 4, 1)),
        (0x40, b"\x2b\x92\x08\x00", (5, 7, 2)),
        (0x40, b"\x17\x80\xc3\x50\x10", (2, 15, 0)),
        (0x40, b"\x11", None),
        (0x40, None, None),
        (0x67, b"\x11\x90", None),
        (0x69, b"\x11\x90", None),
    ],
)
def test_the_configuration_of_aac(object_type: int, info: bytes | None, expected: tuple[int, int, int] | None) -> None:
    assert audio_entry(b"mp4a", esds(object_type, info)).aac_config == expected
    assert audio_entry(b"ac-3", esds(object_type, info)).aac_config is None


def test_the_format_of_an_audio_entry() -> None:
    entry = audio_entry(b"ac-3", channels=6, rate=44_100)
    assert (entry.channels, entry.sample_rate, entry.is_protected) == (6, 44_100, False)


@pytest.mark.parametrize("kind", [b"encv", b"enca", b"drmi", b"drms"])
def test_what_is_encrypted_says_so(kind: bytes) -> None:
    assert audio_entry(kind).is_protected


@pytest.mark.parametrize(
    ("kind", "config", "lacks"),
    [
        (b"avc1", box(b"avcC", bytes([1, 100, 0, 30, 0xFF, 0xE1, 0, 4])), False),
        (b"avc3", box(b"avcC", bytes([1, 100, 0, 30, 0xFF, 0xE0, 0])), True),
        (b"hvc1", box(b"hvcC", bytes(22) + bytes([3, 0, 0])), False),
        (b"hev1", box(b"hvcC", bytes(22) + bytes([0, 0, 0])), True),
        (b"av01", box(b"av1C", bytes(4)), False),
    ],
)
def test_parameter_sets_are_in_the_entry_or_lacking(kind: bytes, config: bytes, *, lacks: bool) -> None:
    entry = video_entry(kind, config)
    assert (entry.lacks_parameter_sets, entry.picture_size) == (lacks, (640, 360))
    assert entry.parameter_sets == (config[4:] if kind in {b"avc1", b"hvc1"} else b"")


def test_an_entry_decodes_as_another_if_its_decoder_needs_the_same() -> None:
    sets, others = box(b"avcC", bytes(7) + b"\1"), box(b"avcC", bytes(7) + b"\2")
    plain, coloured = video_entry(b"avc1", sets), video_entry(b"avc1", sets, box(b"colr", b"nclx"))
    assert plain.decodes_as(coloured)
    assert not plain.decodes_as(video_entry(b"avc1", others))
    assert not plain.decodes_as(video_entry(b"avc3", sets))
    assert video_entry(b"avc3", sets).decodes_as(video_entry(b"avc3", others)), "its samples bring their own"
    assert audio_entry(b"ac-3").decodes_as(audio_entry(b"ac-3"))
    assert not audio_entry(b"ac-3").decodes_as(audio_entry(b"ac-3", channels=6))


def flac(info: bytes) -> SampleEntry:
    return audio_entry(b"fLaC", full_box(b"dfLa", 0, 0, b"\x80\0\0\x22" + info))


def test_the_format_of_flac_has_no_lengths_that_differ_from_file_to_file() -> None:
    info = bytes(range(1, 35))
    assert flac(info).flac_format == info[:4] + info[10:13] + bytes([info[13] & 0xF0])
    other_lengths = info[:4] + b"lngths" + info[10:13] + bytes([info[13] & 0xF0 | 1]) + bytes(20)
    assert flac(other_lengths).flac_format == flac(info).flac_format
    assert flac(info[:13]).flac_format == b""
    assert flac(info[:14]).flac_format == flac(info).flac_format
    assert audio_entry(b"ac-3").flac_format == b""


@pytest.mark.parametrize(("count", "is_refused"), [(256, False), (257, True)])
def test_a_track_has_at_most_256_entries(count: int, *, is_refused: bool) -> None:
    stsd = Box.whole(full_box(b"stsd", 0, 0, struct.pack(">I", count), *[box(b"avc1")] * count))
    if is_refused:
        with pytest.raises(Mp4Error, match="more than 256 entries"):
            list(sample_entries(stsd))
    else:
        assert len(list(sample_entries(stsd))) == count
