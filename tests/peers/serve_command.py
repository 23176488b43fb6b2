"""`transcoder serve` in a process of its own, with one execution environment: what is measured is what works."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_COMMAND = (sys.executable, "-m", "transcoder", "serve", "--port", "0", "--allow-private", "--concurrency", "1", "--queue", "8")
_AS_SUBREAPER = "import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
"""PR_SET_CHILD_SUBREAPER of linux/prctl.h: the program inherits orphans, as process 1 of a container does."""


@contextmanager
def serving(*options: str, environ: Mapping[str, str], inherits_orphans: bool = False) -> Iterator[tuple[str, int]]:
    """Serve for the length of a block; yield the address, without a slash at its end, and the id of the process."""
    before = (sys.executable, "-c", _AS_SUBREAPER) if inherits_orphans else ()
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen([*before, *_COMMAND, *options], env=environ, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip().rstrip("/"), process.pid
        finally:
            process.terminate()
