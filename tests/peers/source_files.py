"""Edit the files of a generated set, and check what `transcoder get` makes of them."""

import re
from pathlib import Path

import pytest
from peers import media_reader
from peers.get_command import get
from peers.origin import Origin


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the content of each file by its URL path."""
    return {f"/{path.name}": path.read_bytes() for path in folder.iterdir() if path.is_file()}


def edited(files: dict[str, bytes], path: str, pattern: str, replacement: str) -> dict[str, bytes]:
    """Return the files with every match of `pattern` in a playlist replaced; there must be one."""
    text, count = re.subn(pattern, replacement, files[path].decode(), flags=re.MULTILINE)
    assert count
    return {**files, path: text.encode()}


def download(url: str, output: Path, *arguments: str) -> Path:
    """Run `transcoder get`, which must succeed, and return `output`."""
    result = get(url, output, *arguments)
    assert result.returncode == 0, result.stderr.decode()
    return output


def assert_exact(origin: Origin, output: Path, *sources: Path, path: str = "/main.m3u8") -> None:
    """Download from `path` into `output`, and compare it with the source files, packet by packet."""
    download(origin.url(path), output)
    assert media_reader.hashes(output) == media_reader.source_hashes(*sources)
    assert media_reader.header_duration(output) == pytest.approx(media_reader.duration(*sources), abs=0.1)
    assert media_reader.is_whole(output)


def variant_of(bandwidth: int, origin: Origin) -> Origin:
    """Let the playlist be a Multivariant Playlist that estimates its only variant by that BANDWIDTH."""
    files = origin.files
    assert isinstance(files, dict)
    files["/media.m3u8"] = files["/main.m3u8"]
    files["/main.m3u8"] = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH={bandwidth}\nmedia.m3u8\n".encode()
    return origin
