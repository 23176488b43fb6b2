"""A transport stream source that is longer than any fixture: a fixture over and over, its timestamps going on."""

import subprocess
from pathlib import Path

from generated_video import ffmpeg_path


def write_looped_source(segments: Path, folder: Path, *, loops: int) -> Path:
    """Write the segments of a folder so many times into `folder`, as segments of 15 s and `main.m3u8`, which is returned."""
    whole = folder / "whole.ts"
    whole.write_bytes(b"".join(path.read_bytes() for path in sorted(segments.glob("segment-*.ts"))))
    playlist = folder / "main.m3u8"
    output: list[str | Path] = [
        "-f",
        "hls",
        "-hls_time",
        "15",
        "-hls_playlist_type",
        "vod",
        "-hls_segment_filename",
        folder / "s%04d.ts",
        playlist,
    ]
    command = [ffmpeg_path(), "-v", "error", "-stream_loop", str(loops - 1), "-i", whole, "-c", "copy", *output]
    subprocess.run(command, check=True, timeout=60)
    whole.unlink()
    return playlist
