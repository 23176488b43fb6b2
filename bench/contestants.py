"""The programs that are measured beside this one, and the command of each."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from generated_video import ffmpeg_path
from peers import media_reader

from bench.sources import BUILD, PLAYLIST, ROOT, Source

Command = Callable[[str, Source, Path], list[str]]
"""Returns the command that fetches an origin (its address without a slash) with a source into a file, or to standard output."""
FRAGMENTED = ("-c", "copy", "-bsf:a", "aac_adtstoasc", "-f", "mp4", "-movflags", "+frag_keyframe+empty_moov+default_base_moof", "pipe:1")
NO_SEEK = ("-http_seekable", "0")
"""Without it, ffmpeg 9.0 reads only the first segment of a source in byte ranges, and exits with status 0."""
ONE_CONNECTION = (*NO_SEEK, "-http_multiple", "0")
"""The first segment comes on the connection of the playlist: an earlier first byte, but a later end where the latency is large."""
OWN_PYTHON = str(BUILD / "own" / "bin" / "python")
"""Has only the dependencies of this program: httpx imports others if they are installed, so that the start takes half as long again."""
BIN = Path(sys.executable).parent
SCRIPTS = BUILD / "python" / "bin"
CONVERT = BUILD / "node" / "convert.js"
MEDIABUNNY = str(CONVERT.parent / "node_modules" / "mediabunny" / "package.json")
FLOOR = Path(__file__).with_name("floor")


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program that turns a source into one file."""

    name: str
    command: Command
    version: tuple[str, ...]
    """The command that prints its version."""
    suffix: str = ".mp4"
    """Of what it makes."""
    writes_file: bool = False
    """Otherwise it writes to standard output."""

    @property
    def program(self) -> str:
        """The name of the program, without its flags."""
        return {"get": "transcoder", "streamlink-1": "streamlink", "streamlink-8": "streamlink", "floor": "curl"}.get(self.name, self.name)

    @property
    def missing(self) -> bool:
        """Whether it is not installed."""
        return shutil.which(self.version[0]) is None or (self.name == "mediabunny" and not CONVERT.exists())

    def version_text(self) -> str:
        """Return the first version number that it prints."""
        text = subprocess.run(self.version, check=True, capture_output=True, text=True).stdout
        match = re.search(r"\d+(\.\d+)+", text)
        return match[0] if match else text.splitlines()[0]


def _get(origin: str, _source: Source, _output: Path) -> list[str]:
    return [OWN_PYTHON, "-P", "-m", "transcoder", "get", f"{origin}/{PLAYLIST}", "-o", "-", "--layout", "fragmented"]


def _ffmpeg(origin: str, _source: Source, _output: Path, *, flags: tuple[str, ...] = ()) -> list[str]:
    return [ffmpeg_path(), "-nostdin", "-v", "error", *flags, "-i", f"{origin}/{PLAYLIST}", *FRAGMENTED]


def _streamlink(origin: str, _source: Source, _output: Path, *, threads: int) -> list[str]:
    options = ["--quiet", "--no-config", "--stdout", "--stream-segment-threads", str(threads), "--ffmpeg-ffmpeg", ffmpeg_path()]
    return [str(SCRIPTS / "streamlink"), *options, f"hls://{origin}/{PLAYLIST}", "best"]


def _yt_dlp(origin: str, _source: Source, output: Path) -> list[str]:
    options = ["--quiet", "--no-warnings", "--ignore-config", "--no-cache-dir", "--force-overwrites", "-N", "8"]
    options += ["--compat-options", "no-certifi"]  # it trusts the CAs of its environment
    return [str(SCRIPTS / "yt-dlp"), *options, "--ffmpeg-location", ffmpeg_path(), "-o", str(output), f"{origin}/{PLAYLIST}"]


def _mediabunny(origin: str, _source: Source, _output: Path) -> list[str]:
    return ["node", str(CONVERT), f"{origin}/{PLAYLIST}"]


def _floor(origin: str, source: Source, output: Path) -> list[str]:
    """Prepare the configurations of curl beside the output, and return the command that uses them."""
    folder = output.with_suffix(".floor")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    playlists = {PLAYLIST, *(path.name for path in source.media_playlists)}
    (folder / "playlists").write_text("\nnext\n".join(_transfer(f"{origin}/{name}", name) for name in sorted(playlists)))
    transfers, joined = [], []
    for path in source.media_playlists:
        parts = list(_parts(path))
        (folder / f"{path.stem}.parts").write_text("\n".join(f"{path.stem}.{number}" for number in range(len(parts))))
        transfers += [_transfer(f"{origin}/{uri}", f"{path.stem}.{number}", rest) for number, (uri, rest) in enumerate(parts)]
        joined.append(path.stem)
    (folder / "segments").write_text("\nnext\n".join(transfers))
    return [str(FLOOR), ffmpeg_path(), str(folder), *joined]


def _transfer(url: str, output: str, byte_range: str = "") -> str:
    lines = ["silent", "fail", f'url = "{url}"', f'output = "{output}"']
    if byte_range:
        length, offset = map(int, byte_range.split("@"))
        lines.append(f'range = "{offset}-{offset + length - 1}"')
    return "\n".join(lines)


def _parts(playlist: Path) -> Iterator[media_reader.Resource]:
    """Yield the initialization section, if there is one, and all segments."""
    listed = list(media_reader.listed_segments(playlist.read_text(encoding="utf-8")))
    if listed[0][0]:
        yield listed[0][0]
    yield from (segment for _, segment in listed)


FFMPEG = (ffmpeg_path(), "-version")
STREAMLINK = (str(SCRIPTS / "streamlink"), "--version")
CONTESTANTS = (
    Contestant("get", _get, (str(BIN / "transcoder"), "--version")),
    Contestant("ffmpeg", _ffmpeg, FFMPEG),
    Contestant("ffmpeg-no-seek", partial(_ffmpeg, flags=NO_SEEK), FFMPEG),
    Contestant("ffmpeg-one-connection", partial(_ffmpeg, flags=ONE_CONNECTION), FFMPEG),
    Contestant("streamlink-1", partial(_streamlink, threads=1), STREAMLINK, suffix=".stream"),
    Contestant("streamlink-8", partial(_streamlink, threads=8), STREAMLINK, suffix=".stream"),
    Contestant("yt-dlp", _yt_dlp, (str(SCRIPTS / "yt-dlp"), "--version"), writes_file=True),
    Contestant("mediabunny", _mediabunny, ("node", "-p", f"require({json.dumps(MEDIABUNNY)}).version")),
    Contestant("floor", _floor, ("curl", "--version")),
)


@cache
def environment() -> dict[str, str]:
    """Return the environment of every program: this one without a proxy and options of Python, with this program for `OWN_PYTHON`."""
    environ = {name: value for name, value in os.environ.items() if not (name.lower().endswith("_proxy") or name.startswith("PYTHON"))}
    return environ | {"TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_FFMPEG": ffmpeg_path(), "PYTHONPATH": str(ROOT)}


def compile_modules() -> None:
    """Compile this program, as it is compiled on Lambda and wherever it has run once."""
    subprocess.run([OWN_PYTHON, "-m", "compileall", "-q", str(ROOT / "transcoder")], check=True, env=environment())
