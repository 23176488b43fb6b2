"""How much memory the function and its ffmpeg take together, while a transport stream is uploaded as a plain MP4."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from conftest import Serve
from peers.looped_source import write_looped_source
from peers.running_emulator import SECONDS, emulated
from peers.source_files import files_in
from peers.storage import Fault, storage

from bench.process_tree import PeakMemory
from transcoder.emulator import Options

MOST_BYTES = 160_000_000
"""With every buffer full: 142 MB where this was measured. What grows with the length of a video is its sample tables, 12 MB for 1 GB."""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_an_upload_whose_buffers_are_full_takes_little(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    origin = serve(files_in(write_looped_source(media("ts-muxed"), tmp_path, loops=120).parent))
    with storage() as s3:
        s3.decide = lambda asked, _earlier: Fault(delay=0.5) if asked == "UploadPart" else None
        options = Options(environ={**os.environ, **s3.environ, "TRANSCODER_ALLOW_PRIVATE": "1"})
        with emulated(options) as running, PeakMemory(lambda: [running.pid] if running.pid else []) as memory:
            response = httpx.get(f"{running.url}/download?deliver=s3&url={origin.url('/main.m3u8')}", timeout=SECONDS)
        assert (response.status_code, s3.counts["UploadPart"]) == (303, 7)
    assert 60_000_000 < memory.bytes <= MOST_BYTES
