"""The sources: generated films, packaged in three ways. They are kept in build/bench/media, and made again if this module changes."""

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from generated_video import GeneratedVideo, encoder_arguments, ffmpeg_path, run_ffmpeg

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bench"
MEDIA = BUILD / "media"
STAMP = ".made-by"
PLAYLIST = "main.m3u8"
CMAF_FILE = "media.mp4"
"""All segments of a source in byte ranges."""


@dataclass(frozen=True, slots=True)
class Film:
    """What is encoded once; a long film is a short one in a loop, because encoding takes longer than anything that is measured."""

    name: str
    seconds: int
    """Of one round of the loop."""
    rounds: int
    bits_per_second: int
    segment_seconds: float

    @property
    def frames(self) -> int:
        """How many frames lie between two key frames: a segment, or half of one."""
        return round(FRAME_RATE * min(self.segment_seconds, 2))


FRAME_RATE = 24
MINUTE = Film("60s", seconds=60, rounds=1, bits_per_second=2_550_000, segment_seconds=4)
"""About 20 MB."""
GIGABYTE = Film("1gb", seconds=60, rounds=50, bits_per_second=2_550_000, segment_seconds=4)
MANY_SEGMENTS = Film("10000", seconds=10, rounds=500, bits_per_second=300_000, segment_seconds=0.5)
"""10,000 segments."""
FILMS = {film.name: film for film in (MINUTE, GIGABYTE, MANY_SEGMENTS)}
PACKAGINGS = ("ts", "ts+audio", "cmaf")
_TS = ("-f", "hls", "-hls_segment_type", "mpegts", "-hls_segment_filename")
_CMAF = ("-f", "hls", "-hls_segment_type", "fmp4", "-hls_flags", "single_file", "-hls_segment_filename")
_MAIN = """#EXTM3U
#EXT-X-VERSION:4
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Sound",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH={rate},RESOLUTION=640x360,FRAME-RATE=24.000,CODECS="avc1.640028,mp4a.40.2",AUDIO="sound"
video.m3u8
"""


@dataclass(frozen=True, slots=True)
class Source:
    """A film in one packaging, as a folder with a playlist."""

    film: Film
    packaging: str

    @property
    def folder(self) -> Path:
        """The folder of the playlist and its segments."""
        return MEDIA / f"{self.film.name}-{self.packaging}"

    @property
    def media_playlists(self) -> list[Path]:
        """The Media Playlists, that of the video first."""
        names = ("video.m3u8", "audio.m3u8") if self.packaging == "ts+audio" else (PLAYLIST,)
        return [self.folder / name for name in names]


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder on the disk of the project: outputs of a gigabyte may not fit where others are."""
    BUILD.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=BUILD)


def make(source: Source) -> None:
    """Make the source unless the current version of this file has made it."""
    stamp = source.folder / STAMP
    if stamp.is_file() and stamp.read_text() == _fingerprint():
        return
    shutil.rmtree(source.folder, ignore_errors=True)
    source.folder.mkdir(parents=True)
    film = _encode(source.film)
    playlists, once = source.media_playlists, source.film.rounds == 1
    arguments = ["-stream_loop", str(source.film.rounds - 1), *_input(film)]
    for playlist, streams in zip(playlists, ("0:v", "0:a") if len(playlists) > 1 else ("0",), strict=True):
        files = _files(source, playlist)
        length = ["-hls_time", str(source.film.segment_seconds), "-hls_playlist_type", "vod"]
        run_ffmpeg(*(_input(film) if once else arguments), "-map", streams, "-c", "copy", *files, *length, playlist)
    if len(playlists) > 1:
        (source.folder / PLAYLIST).write_text(_MAIN.format(rate=source.film.bits_per_second * 5 // 4))
    stamp.write_text(_fingerprint())


def _files(source: Source, playlist: Path) -> Sequence[str | Path]:
    if source.packaging == "cmaf":
        return [*_CMAF, source.folder / CMAF_FILE]
    return [*_TS, source.folder / f"{playlist.stem}-%d.ts"]


def _input(film: Path) -> Sequence[str | Path]:
    return ["-i", film]


def _encode(film: Film) -> Path:
    """Encode one round of a film: a test pattern with noise, which does not compress, and a tone."""
    encoded = MEDIA / f".{film.seconds}s-{film.bits_per_second}-{_fingerprint()[:12]}.mkv"
    if not encoded.exists():
        video = GeneratedVideo(
            seconds=film.seconds, size="640x360", frame_rate=FRAME_RATE, key_frame_interval=film.frames, b_frames=0, timestamp_offset=0
        )
        rate = str(film.bits_per_second)
        unfinished = encoded.with_suffix(".unfinished")
        limits = ["-b:v", rate, "-maxrate", rate, "-bufsize", rate]
        run_ffmpeg(*encoder_arguments(video, extra_filter=",noise=alls=60:allf=t"), *limits, "-f", "matroska", unfinished)
        unfinished.rename(encoded)
    return encoded


@cache
def _fingerprint() -> str:
    return hashlib.sha256(Path(ffmpeg_path()).name.encode() + Path(__file__).read_bytes()).hexdigest()
