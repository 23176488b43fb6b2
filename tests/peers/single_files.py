"""Files that a link may lead to in place of a playlist, made of the segments of one."""

from collections.abc import Callable
from pathlib import Path

from peers.source_files import files_in


def single_files(media: Callable[[str], Path]) -> dict[str, bytes]:
    """Return files of each container by their URL paths: one segment of it, all of them, and what lacks a part."""
    ts, fmp4, aac = (files_in(media(name)) for name in ("ts-muxed", "fmp4-muxed", "packed-aac"))
    init = fmp4["/segment-init.mp4"]
    return {
        "/one.ts": ts["/segment-1.ts"],
        "/all.ts": b"".join(ts[f"/segment-{number}.ts"] for number in range(3)),
        "/one.aac": aac["/audio-1.aac"],
        "/whole.aac": aac["/audio.whole.aac"],
        "/one.m4s": init + fmp4["/segment-0.m4s"],
        "/all.m4s": init + b"".join(fmp4[f"/segment-{number}.m4s"] for number in range(3)),
        "/bare.m4s": fmp4["/segment-0.m4s"],
        "/init.m4s": init,
    }
