"""Record the command line in a terminal, as an animated SVG for the README: `make recording`.

A shell in a pseudo-terminal runs `transcoder get` on a stream that arrives slowly, then on one that lacks a segment, and shows what is
left.
pyte is the terminal, and rich draws each of its screens. The name of the host leads to loopback by a proxy, so that the commands are those
that a reader would type.
"""

import os
import pty
import re
import select
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Self

import pyte
from generated_video import GeneratedVideo
from packager import media_playlist, pack_ts
from peers.origin import GOOD, Request, Rule, origin
from peers.proxy import proxy
from peers.reddit import certificates
from rich.console import Console
from rich.style import Style
from rich.text import Text

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "get.svg"
HOST = "videos.example"
MISSING = "/damaged/film-6.ts"
COLUMNS, ROWS = 96, 9
FRAME_SECONDS = 0.6
"""How far apart two pictures of the recording are at least."""
LAST_SECONDS = 6.0
"""How long the last one stays."""
LIMIT_SECONDS = 60.0
PROMPT = "$ "
COMMANDS = (
    f"transcoder get https://{HOST}/film/main.m3u8 -o film.mp4",
    f"transcoder get https://{HOST}/damaged/main.m3u8 -o damaged.mp4",
    'echo "exit code $?"; ls',
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What the terminal shows from a time on."""

    seconds: float
    lines: tuple[Text, ...]

    @property
    def text(self) -> str:
        """Return the screen without colours and without spaces at the ends of lines."""
        return "\n".join(line.plain.rstrip() for line in self.lines)


def main() -> int:
    """Write the picture, and say where."""
    frames = record()
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(drawn(frames), encoding="utf-8")
    sys.stdout.write(f"{frames[-1].text.strip()}\n\n{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB, {len(frames)} pictures\n")
    return 0


def record() -> list[Frame]:
    """Run the commands in a terminal, and return what it showed."""
    with _served() as (proxy_url, authority), tempfile.TemporaryDirectory() as folder:
        environ = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PS1": PROMPT, "TERM": "xterm-256color", "HOME": folder}
        environ |= {"https_proxy": proxy_url, "SSL_CERT_FILE": str(authority), "TRANSCODER_RETRY_SECONDS": "0.05", "LANG": "C.UTF-8"}
        with _Terminal(Path(folder), environ) as terminal:
            for count, command in enumerate(COMMANDS, 1):
                terminal.run_until(prompts=count)
                terminal.type(command)
            terminal.run_until(prompts=len(COMMANDS) + 1)
    return terminal.frames


@contextmanager
def _served() -> Iterator[tuple[str, Path]]:
    """Serve one film that arrives slowly, whole and without a segment; yield the proxy that leads to it, and a file with its authority."""

    def decide(request: Request, _earlier: int) -> Rule:
        if request.path == MISSING:
            return Rule(status=404)
        return Rule(trickle=(16_000, 0.12)) if request.path.endswith(".ts") else GOOD

    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder, "film")
        film.mkdir()
        period = pack_ts(film, "film", GeneratedVideo(seconds=24, size="640x360", b_frames=0))
        (film / "main.m3u8").write_text(media_playlist([period]), encoding="utf-8")
        Path(folder, "damaged").symlink_to("film")
        tls, client = certificates((HOST,))
        authority = Path(folder, "authority.pem")
        authority.write_text("".join(map(ssl.DER_cert_to_PEM_cert, client.get_ca_certs(binary_form=True))), encoding="ascii")
        with origin(Path(folder), tls=tls) as server, proxy() as between:
            server.decide = decide
            between.hosts[HOST] = int(server.url("").rpartition(":")[2])
            yield between.url, authority


class _Terminal:
    """A shell in a pseudo-terminal, and the screens that it has shown."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.frames: list[Frame] = []
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._leader, follower = pty.openpty()
        size = ["stty", "rows", str(ROWS), "cols", str(COLUMNS)]
        subprocess.run(size, stdin=follower, check=True)
        shell = [shutil.which("setsid") or "setsid", "--ctty", "/bin/sh", "-i"]
        self._shell = subprocess.Popen(shell, stdin=follower, stdout=follower, stderr=follower, cwd=folder, env=environ)
        os.close(follower)
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._leader)
        self._shell.send_signal(signal.SIGHUP)
        self._shell.wait(LIMIT_SECONDS)

    def type(self, command: str) -> None:
        """Type a command and the return key."""
        os.write(self._leader, command.encode() + b"\n")

    def run_until(self, *, prompts: int) -> None:
        """Show what comes until so many lines begin with a prompt.

        Raises:
            TimeoutError: it does not get there.

        """
        deadline = time.monotonic() + LIMIT_SECONDS
        while sum(line.startswith(PROMPT) for line in self._screen.display) < prompts:
            if time.monotonic() > deadline:
                raise TimeoutError("\n".join(self._screen.display))
            if select.select([self._leader], [], [], FRAME_SECONDS)[0]:
                self._stream.feed(os.read(self._leader, 65536))
            self._keep(time.monotonic() - self._began)
        self._keep(time.monotonic() - self._began, last=True)

    def _keep(self, seconds: float, *, last: bool = False) -> None:
        frame = Frame(seconds, tuple(_line(self._screen.buffer[row]) for row in range(ROWS)))
        if self.frames and (frame.lines == self.frames[-1].lines or (not last and seconds - self.frames[-1].seconds < FRAME_SECONDS)):
            return
        self.frames.append(frame)


def _line(characters: Mapping[int, pyte.screens.Char]) -> Text:
    """Return one line of the screen with its colours."""
    line = Text()
    for column in range(COLUMNS):
        each = characters[column]
        line.append(each.data, Style(color=_colour(each.fg), bold=each.bold or None))
    line.rstrip()
    return line


def _colour(name: str) -> str | None:
    """Return rich's name of a colour of pyte's: a name, or six hexadecimal digits."""
    if name == "default":
        return None
    return f"#{name}" if re.fullmatch("[0-9a-f]{6}", name) else name.replace("bright", "bright_").replace("brown", "yellow")


_PICTURE = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
text {{ font: {char_height}px monospace }}
.frame {{ opacity: 0 }}
{styles}
STYLES
</style>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
FRAMES
</g>
</svg>
"""
_FRAME = "{styles}<g class='frame' id='{unique_id}'>{backgrounds}{matrix}</g>"


def drawn(frames: list[Frame]) -> str:
    """Return the frames as an animated SVG; without animation, it shows the last one."""
    end = frames[-1].seconds - frames[0].seconds + LAST_SECONDS
    styles, groups = [], []
    for number, frame in enumerate(frames):
        style, mark, group = _exported(frame, _FRAME, f"f{number}").partition("<g ")
        begins = (frame.seconds - frames[0].seconds) / end
        ends = (frames[number + 1].seconds - frames[0].seconds) / end if frame is not frames[-1] else 1.0
        times = f"0% {{ opacity: 0 }} {begins:.2%} {{ opacity: 1 }} {ends:.2%} {{ opacity: {int(frame is frames[-1])} }}"
        styles.append(f"{style}\n@keyframes k{number} {{ {times} }}\n#f{number} {{ animation: k{number} {end:.1f}s step-end infinite }}")
        groups.append(mark + group)
    styles.append(f"@media (prefers-reduced-motion) {{ .frame {{ animation: none !important }} #f{len(frames) - 1} {{ opacity: 1 }} }}")
    whole = _exported(Frame(0.0, (Text(),) * ROWS), _PICTURE, "t")
    return whole.replace("STYLES", "\n".join(styles)).replace("FRAMES", "\n".join(groups))


def _exported(frame: Frame, form: str, name: str) -> str:
    """Return a frame as rich's SVG in this form, without the clipping of each line, which cannot be too long."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor")
    for line in frame.lines:
        console.print(line, soft_wrap=True, highlight=False)
    svg = console.export_svg(title="", code_format=form, unique_id=name)
    return re.sub(r' clip-path="[^"]*"', "", svg)


if __name__ == "__main__":
    sys.exit(main())
