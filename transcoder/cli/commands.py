"""The commands: a line about each, how it is called, and examples."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Command(NamedTuple):
    """What help says about a command before its module is imported."""

    summary: str
    usage: str | None
    """What follows its name in its usage; None has argparse list every option."""
    examples: tuple[str, ...]
    takes_many: bool = False
    """It takes several sources, with options between them."""


_PLAYLIST = "https://example.com/video/main.m3u8"

COMMANDS: Mapping[str, Command] = MappingProxyType({
    "get": Command(
        "save a playlist or a Reddit video as one MP4",
        "URL … [-o FILE | -P FOLDER] [OPTIONS]",
        (
            f"transcoder get {_PLAYLIST} -o video.mp4",
            f"transcoder get {_PLAYLIST} --height 720 --start 1:30 --end 2:00",
            "transcoder get https://www.reddit.com/r/videos/comments/abc123/title/ --fit 8MB",
        ),
        takes_many=True,
    ),
    "subtitles": Command(
        "save the subtitles of a playlist or a Reddit video as one WebVTT or SRT file",
        "URL [-o FILE] [OPTIONS]",
        (f"transcoder subtitles {_PLAYLIST} --language de", f"transcoder subtitles {_PLAYLIST} --format srt -o video.srt"),
    ),
    "info": Command(
        "list a source's variants and tracks, and show what `get` would select",
        "URL [OPTIONS]",
        (f"transcoder info {_PLAYLIST}", f"transcoder info {_PLAYLIST} --height 720 --json"),
    ),
    "sign": Command(
        "make a signed link, for a function that has signing keys",
        "URL [OPTIONS]",
        (f"transcoder sign {_PLAYLIST} --service https://video.example.com/ --expires 12h", f"transcoder sign {_PLAYLIST} --height 720"),
    ),
    "serve": Command(
        "emulate Lambda with a streaming Function URL on this machine",
        None,
        ("transcoder serve --port 8000", "transcoder serve --port 8000 --s3 --allow-private"),
    ),
    "invoke": Command(
        "let the function on Lambda make an MP4, and check that it is whole",
        "URL (--function NAME | --url URL) [-o FILE] [OPTIONS]",
        (
            f"transcoder invoke {_PLAYLIST} --function transcoder -o video.mp4",
            f"transcoder invoke {_PLAYLIST} --url http://127.0.0.1:8000/ --progress",
        ),
    ),
    "completion": Command(
        "print a script with which a shell completes commands and options",
        None,
        ("transcoder completion bash", "transcoder completion zsh"),
    ),
})  # fmt: skip
"""By name; each is a module of this package, which is imported only if the command is used."""
