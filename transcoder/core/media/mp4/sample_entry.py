"""Sample entries of an `stsd`: which codec a track has, and what its decoder must know (ISO/IEC 14496-12, 8.5.2)."""

from collections.abc import Iterator
from typing import NamedTuple

from transcoder.core.media.mp4.boxes import Box, Mp4Error

CODECS = {
    b"avc1": "h264", b"avc2": "h264", b"avc3": "h264", b"avc4": "h264",
    b"hvc1": "hevc", b"hev1": "hevc", b"dvh1": "hevc", b"dvhe": "hevc",
    b"dva1": "h264", b"dvav": "h264",
    b"av01": "av1", b"dav1": "av1", b"vp09": "vp9", b"vp08": "vp8", b"mp4v": "mpeg4",
    b"mp4a": "aac", b".mp3": "mp3", b"ac-3": "ac3", b"ec-3": "eac3", b"Opus": "opus", b"fLaC": "flac", b"alac": "alac",
    b"dtsc": "dts", b"dtsh": "dts", b"dtsl": "dts", b"dtse": "dts", b"mlpa": "truehd",
    b"ipcm": "pcm", b"fpcm": "pcm", b"lpcm": "pcm", b"sowt": "pcm", b"twos": "pcm", b"in24": "pcm", b"in32": "pcm", b"fl32": "pcm",
}  # fmt: skip
"""ffmpeg's name of the codec of each sample entry type."""
AAC = 0x40
"""The object type of AAC as MPEG-4 defines it (ISO/IEC 14496-1, 7.2.6.6)."""
_OBJECT_TYPES = {
    AAC: "aac", 0x66: "aac", 0x67: "aac", 0x68: "aac", 0x69: "mp3", 0x6B: "mp3", 0xA5: "ac3", 0xA6: "eac3", 0xA9: "dts",
    0xAD: "opus", 0xDD: "vorbis",
}  # fmt: skip
_DECODER_CONFIG = {b"avc1": b"avcC", b"dva1": b"avcC", b"hvc1": b"hvcC", b"dvh1": b"hvcC"}
"""The entries whose parameter sets are not in the samples (ISO/IEC 14496-15), and the box that has them."""
_SETS_IN_SAMPLES = frozenset({b"avc3", b"avc4", b"hev1", b"dvav", b"dvhe"})
_PROTECTED = frozenset({b"encv", b"enca", b"drmi", b"drms"})
_AUDIO_ENTRY_BYTES = 28
"""Bytes of an AudioSampleEntry before the boxes in it (12.2.3)."""
_STREAMINFO_AT = 8
"""Where STREAMINFO begins in a `dfLa`: after version, flags, and the header of its metadata block."""
_QUICKTIME_EXTRA_BYTES = {1: 16, 2: 36}
"""How many more a QuickTime sound description of version 1 or 2 has."""
_MAX_LENGTH_BYTES = 4
_MAX_ENTRIES = 256
"""More sample entries of one track are refused: each is compared with the first."""
_DECODER_SPECIFIC_INFO = 5
_DECODER_CONFIG_BYTES = 13
"""Bytes of a DecoderConfigDescriptor before the descriptors in it (ISO/IEC 14496-1, 7.2.6.6)."""


class EsDescriptor(NamedTuple):
    """What an `esds` says of its elementary stream (ISO/IEC 14496-1, 7.2.6.5)."""

    object_type: int
    decoder_info: bytes
    """The DecoderSpecificInfo: for AAC the AudioSpecificConfig; empty if there is none."""


class AacConfig(NamedTuple):
    """The beginning of an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1): what decoders go by."""

    object_type: int
    rate_index: int
    """Which rate its first layer has; 15: the rate itself follows."""
    channels: int
    """The channel configuration; 0: the channels are described elsewhere."""


class SampleEntry(NamedTuple):
    """One sample entry."""

    box: Box

    @property
    def type(self) -> bytes:
        """Its type: avc1, hvc1, mp4a …."""
        return self.box.type

    @property
    def is_protected(self) -> bool:
        """Whether its samples are encrypted (ISO/IEC 23001-7)."""
        return self.type in _PROTECTED

    @property
    def codec(self) -> str:
        """Ffmpeg's name of the codec, or the type itself where that is not known. Raises Mp4Error if the entry is cut short."""
        if self.type != b"mp4a":
            return CODECS.get(self.type, self.type.decode("latin-1").strip())
        descriptor = self.es_descriptor()
        return CODECS[b"mp4a"] if descriptor is None else _OBJECT_TYPES.get(descriptor.object_type, "mp4a")

    @property
    def channels(self) -> int:
        """The channel count of an AudioSampleEntry. ffmpeg writes 2 for every AAC track. Raises Mp4Error if the entry is cut short."""
        return self.box.uint(16, 2)

    @property
    def sample_rate(self) -> int:
        """The sampling rate of an AudioSampleEntry in Hz. Raises Mp4Error if the entry is cut short."""
        return self.box.uint(24, 2)

    @property
    def aac_config(self) -> AacConfig | None:
        """What decodes the samples of an AAC track; None for any other. Raises Mp4Error if the entry is cut short."""
        descriptor = self.es_descriptor() if self.type == b"mp4a" else None
        if descriptor is None or descriptor.object_type != AAC or len(descriptor.decoder_info) <= 1:
            return None
        bits = descriptor.decoder_info[0] << 8 | descriptor.decoder_info[1]
        return AacConfig(bits >> 11, bits >> 7 & 15, bits >> 3 & 15)

    @property
    def flac_format(self) -> bytes:
        """Block sizes, sampling rate, channels and bits per sample of a FLAC entry, as its STREAMINFO gives them; empty for any other.

        Source: FLAC in ISOBMFF, 3.3.2; RFC 9639, 8.2. Raises Mp4Error if the entry is cut short.
        """
        found = self.box.search(b"dfLa", skip=_AUDIO_ENTRY_BYTES) if self.type == b"fLaC" else None
        if found is None:
            return b""
        info = found.content[_STREAMINFO_AT:]
        return info[:4] + info[10:13] + bytes([info[13] & 0xF0]) if len(info) > 13 else b""  # noqa: PLR2004 - after them, the length

    @property
    def picture_size(self) -> tuple[int, int]:
        """Width and height of a VisualSampleEntry in pixels (12.1.3). Raises Mp4Error if the entry is cut short."""
        return self.box.uint(24, 2), self.box.uint(26, 2)

    @property
    def lacks_parameter_sets(self) -> bool:
        """Whether an H.264 or HEVC entry has no parameter sets: they are in the samples only (ISO/IEC 14496-15, 5.3.3 and 8.3.3).

        Raises Mp4Error if the entry is cut short.
        """
        if (avcc := self.box.search(b"avcC")) is not None:
            return not avcc.uint(5, 1) & 0x1F
        if (hvcc := self.box.search(b"hvcC")) is not None:
            return not hvcc.uint(22, 1)
        return False

    @property
    def parameter_sets(self) -> bytes:
        """The `avcC` or `hvcC` of an entry whose samples do not bring their parameter sets; empty for any other entry."""
        kind = _DECODER_CONFIG.get(self.type)
        found = self.box.search(kind) if kind else None
        return found.data[found.start + 4 : found.end] if found else b""

    def decodes_as(self, other: "SampleEntry") -> bool:
        """Return whether a decoder that was set up for another entry decodes the samples of this one, too."""
        if self.type != other.type or self.type in _SETS_IN_SAMPLES:
            return self.type == other.type
        return self.box.raw == other.box.raw or (bool(self.parameter_sets) and self.parameter_sets == other.parameter_sets)

    def es_descriptor(self) -> EsDescriptor | None:
        """Return what the `esds` of an audio entry says; None if there is none.

        Raises:
            Mp4Error: the entry or its descriptors are cut short.
        """
        extra = _QUICKTIME_EXTRA_BYTES.get(self.box.uint(8, 2), 0)
        esds = self.box.search(b"esds", skip=_AUDIO_ENTRY_BYTES + extra)
        return None if esds is None else read_esds(esds)


def sample_entries(stsd: Box) -> Iterator[SampleEntry]:
    """Iterate over the entries of an `stsd`. Raises Mp4Error if they do not fill it exactly, or there are too many."""
    for number, child in enumerate(stsd.children(skip=8)):
        if number >= _MAX_ENTRIES:
            raise Mp4Error(stsd.position, f"the box stsd has more than {_MAX_ENTRIES} entries")
        yield SampleEntry(child)


def read_esds(esds: Box) -> EsDescriptor:
    """Read the descriptors in an `esds`.

    Raises:
        Mp4Error: it is cut short.
    """
    at, _, _ = _descriptor(esds, 4)
    flags = esds.uint(at + 2, 1)
    at += 3 + (2 if flags & 0x80 else 0)
    if flags & 0x40:
        at += 1 + esds.uint(at, 1)
    at += 2 if flags & 0x20 else 0
    at, _, _ = _descriptor(esds, at)
    object_type = esds.uint(at, 1)
    at += _DECODER_CONFIG_BYTES
    if esds.body + at + 2 > esds.end:
        return EsDescriptor(object_type, b"")
    at, tag, length = _descriptor(esds, at)
    info = esds.content[at : at + length] if tag == _DECODER_SPECIFIC_INFO else b""
    return EsDescriptor(object_type, info)


def _descriptor(esds: Box, at: int) -> tuple[int, int, int]:
    """Return where the body of the descriptor at `at` begins, its tag, and its length, of four bytes at most (ISO/IEC 14496-1, 8.3.3)."""
    tag, length = esds.uint(at, 1), 0
    for place in range(at + 1, at + 1 + _MAX_LENGTH_BYTES):
        octet = esds.uint(place, 1)
        length = length << 7 | octet & 0x7F
        if not octet & 0x80:
            return place + 1, tag, length
    raise Mp4Error(esds.position, "a descriptor in the box esds has a length of too many bytes")
