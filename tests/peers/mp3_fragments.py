"""MP3 frames in fragments, as ffmpeg writes what it copies, byte for byte."""

import struct

from fuzz.media_pieces import moof, moov, trun

from transcoder.core.media.mp4.boxes import box

# 192 kbit/s at 48 kHz, joint stereo: 576 bytes, 24 ms (ISO/IEC 11172-3), which are 2160 ticks.
HEADER, HEADER_WITH_CRC, FRAME_BYTES, FRAME_TICKS = b"\xff\xfb\xb4@", b"\xff\xfa\xb4@", 576, 2160
SILENT = HEADER.ljust(FRAME_BYTES, b"\0")
SECOND = 90_000
ENTRY = box(b"mp4a", bytes(7) + b"\1" + bytes(8) + struct.pack(">HHHHI", 2, 16, 0, 0, 48_000 << 16))
MOOV = moov(entries=ENTRY).replace(b"vide", b"soun")


def frame(number: int, header: bytes = HEADER) -> bytes:
    """Write a frame, which differs from the others by its number."""
    return header + bytes([number + 1]) * (FRAME_BYTES - len(header))


def fragment(time: int, *frames: bytes, media: bytes | None = None) -> bytes:
    """Write a fragment of frames; `media` is what its `mdat` has instead of them."""
    samples = b"".join(struct.pack(">II", FRAME_TICKS, len(each)) for each in frames)

    def head(at: int) -> bytes:
        return moof(trun(len(frames), flags=0x301, samples=struct.pack(">I", at) + samples), time=time)

    return head(len(head(0)) + 8) + box(b"mdat", b"".join(frames) if media is None else media)
