"""`transcoder serve` as a process that stays, and a client of it that sees how a response ends."""

import http.client
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit

from faults.get_way import OUTPUT, SECONDS
from faults.processes import descendants, remaining
from faults.verdict import Outcome
from peers.leaks import children


class Emulator:
    """One emulated function, which serves one download at a time and is replaced after a hang."""

    def __init__(self, stream_errors: str, folder: Path, environ: Mapping[str, str]) -> None:
        """Start `transcoder serve --stream-errors=…`; `folder` becomes its folder for temporary files."""
        self._stream_errors = stream_errors
        self._folder = folder
        self._environ = {**os.environ, **environ, "TMPDIR": str(folder)}
        self._lock = threading.Lock()
        folder.mkdir()
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _start(self) -> None:
        command = [sys.executable, "-m", "transcoder", "serve", "--port", "0", "--allow-private", f"--stream-errors={self._stream_errors}"]
        with self._folder.with_suffix(".log").open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environ, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        self._address = urlsplit(self._process.stdout.readline().strip())
        if self._address.scheme != "http":
            raise RuntimeError("The emulator did not start.")

    def _stop(self) -> None:
        self._process.terminate()
        self._process.communicate()

    def download(self, url: str, folder: Path, layout: str) -> Outcome:
        """Download `url` in a layout into a file in `folder`."""
        with self._lock:
            try:
                success, detail = self._request(f"/download?layout={layout}&url={quote(url, safe='')}", folder / OUTPUT)
            except TimeoutError:
                self._stop()
                self._start()
                return Outcome(success=False, detail=f"no end after {SECONDS:.0f} s", hung=True)
            left = [f"process {pid}" for pid in sorted(remaining(self._working_processes))]
            left += [f"file {path.name}" for path in self._folder.rglob("*")]
            if left:  # it is one run's fault, not that of all after it
                self._stop()
                shutil.rmtree(self._folder)
                self._folder.mkdir()
                self._start()
        return Outcome(success, folder / OUTPUT, detail, leftovers=left, index_is_promised=False)

    def _working_processes(self) -> set[int]:
        """Return what the runtimes have started; between two downloads that is nothing."""
        return descendants(self._process.pid) - children(self._process.pid)

    def _request(self, target: str, file: Path) -> tuple[bool, str]:
        """Return whether the response is a success with a proper end, and its status; `TimeoutError` after `SECONDS`."""
        deadline = time.monotonic() + SECONDS
        with closing(http.client.HTTPConnection(self._address.netloc, timeout=SECONDS)) as connection, file.open("wb") as output:
            try:
                connection.request("GET", target)
                response = connection.getresponse()
                if response.status != http.HTTPStatus.OK:
                    problem = json.loads(response.read())
                    return False, f"{response.status} {problem['type'].rpartition(':')[2]}, {problem['detail'][:160]}"
                while (chunk := response.read1(65536)) and time.monotonic() < deadline:
                    output.write(chunk)
            except (http.client.HTTPException, ConnectionError) as error:
                return False, f"200, the body was cut ({type(error).__name__})"
        if time.monotonic() >= deadline:
            raise TimeoutError
        return True, "200"
