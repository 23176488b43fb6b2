"""Make the film that the canary fetches: four seconds of a test picture and a tone, as one MPEG transport stream."""

import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg

from infra.packages.target import DIST

FILM = DIST / "canary-film.ts"
_SECONDS = 4
# One thread and no dates or version numbers, so that the same ffmpeg makes the same bytes.
_EXACT = ("-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact")
_SOURCES = ("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={_SECONDS}", "-f", "lavfi", "-i", f"sine=440:duration={_SECONDS}")
_CODECS = ("-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "32k", "-f", "mpegts")


def make(path: Path) -> None:
    """Make the film at `path`.

    Raises:
        subprocess.CalledProcessError: ffmpeg failed, and has printed why.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", *_SOURCES, *_CODECS, *_EXACT, str(unfinished)]
    subprocess.run(command, check=True)
    unfinished.replace(path)


def main() -> int:
    """Make the film where the synthesis looks for it."""
    make(FILM)
    print(f"{FILM}: {FILM.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
