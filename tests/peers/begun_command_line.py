"""What each run of the command line would do again for most of its time: imports, reading the certificates, asking ffmpeg its version."""

import asyncio
from importlib import import_module

from transcoder.cli.commands import COMMANDS
from transcoder.edge.address_guard.guard import tls
from transcoder.edge.ffmpeg import find_ffmpeg

for _name in ("main", *COMMANDS):
    import_module(f"transcoder.cli.{_name}")
for _name in ("concurrent.futures.thread", "encodings.idna"):  # imported at their first use
    import_module(_name)
tls()
asyncio.run(find_ffmpeg(""))
