"""Where `transcoder get` writes: named pipes, devices, symbolic links, folders and full disks.

Device nodes are made in the test's own folder, which needs root. Nothing is ever written to the machine's own.
"""

import fcntl
import os
import pty
import resource
import signal
import stat
import sys
import termios
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from conftest import Serve, UsualOutput
from peers import media_reader
from peers.command_line import CLOSED, run, run_piped, started
from peers.get_command import SECONDS, get
from peers.origin import Origin, Rule
from peers.origin_rules import Request

from transcoder.cli.exit_codes import DESCRIPTIONS, ExitCode

DOCUMENT = Path(__file__).parents[2] / "docs" / "command-line.md"
Media = Callable[[str], Path]


def is_for_media(request: Request) -> bool:
    """Return whether a request is the second one for a segment, after that for its beginning or end."""
    return "range" not in request.headers


@pytest.fixture
def source(media: Media, serve: Serve) -> Origin:
    return serve(media("ts-muxed"))


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "fifo.mp4"
    os.mkfifo(path)
    return path


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def has_begun(folder: Path, source: Origin) -> bool:
    """Return whether a file in a folder has been created, and the last segment of its source is being fetched."""
    return any(folder.iterdir()) and any(request.path == "/segment-2.ts" and is_for_media(request) for request in source.requests)


def node(path: Path, kind: int, major: int, minor: int) -> Path:
    """Make a device node; skip the test if that is not allowed here, or if it cannot be opened here."""
    try:
        os.mknod(path, 0o600 | kind, os.makedev(major, minor))
        if kind == stat.S_IFCHR:
            os.close(os.open(path, os.O_WRONLY))
    except OSError as error:
        pytest.skip(f"device nodes cannot be used here: {error}")
    return path


def test_the_document_lists_the_exit_codes_of_the_program() -> None:
    table = DOCUMENT.read_text(encoding="utf-8").partition("## Exit codes")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| ") and line[2].isdigit()]
    listed = {int(number): meaning.strip() for number, meaning in rows}
    assert list(listed) == [code.value for code in ExitCode]
    # `--help` prints the descriptions (test_help.py).
    assert listed == {code.value: text[0].upper() + text[1:] for code, text in DESCRIPTIONS.items()}
    assert "exists already" in listed[ExitCode.OUTPUT_FAILED]


@pytest.mark.parametrize("options", [[], ["--force"]])
def test_a_named_pipe_is_written_into(options: list[str], source: Origin, fifo: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(fifo.read_bytes)
        completed = get(source.url("/main.m3u8"), fifo, *options)
        (tmp_path / "copy.mp4").write_bytes(read.result(SECONDS))
    assert completed.returncode == 0
    assert b" MB, 6.0 s of media, in " in completed.stderr
    assert media_reader.is_whole(tmp_path / "copy.mp4")
    assert fifo.is_fifo()
    assert {path.name for path in tmp_path.iterdir()} == {"fifo.mp4", "copy.mp4"}


def test_a_named_pipe_behind_a_link_is_written_into(source: Origin, fifo: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.mp4"
    link.symlink_to(fifo.name)
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(fifo.read_bytes)
        assert get(source.url("/main.m3u8"), link).returncode == 0
        assert read.result(SECONDS)[4:8] == b"ftyp"
    assert link.is_symlink()
    assert fifo.is_fifo()


def test_a_reader_of_a_named_pipe_may_come_late(source: Origin, fifo: Path) -> None:
    with started("get", source.url("/main.m3u8"), "-o", str(fifo)) as command:
        wait_until(lambda: source.requests)
        time.sleep(1.0)
        assert command.process.is_alive()
        assert fifo.read_bytes()[4:8] == b"ftyp"
        assert command.end().returncode == 0


def test_a_reader_of_a_named_pipe_that_leaves_ends_get(media: Media, serve: Serve, fifo: Path) -> None:
    with started("get", serve(media("ts-large")).url("/main.m3u8"), "-o", str(fifo)) as command:
        with fifo.open("rb") as reader:
            assert reader.read(10)
        completed = command.end()
    assert (completed.returncode, completed.stderr) == (6, b"")
    assert fifo.is_fifo()


def test_a_failure_before_the_first_byte_does_not_leave_the_reader_of_a_named_pipe_waiting(source: Origin, fifo: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(fifo.read_bytes)
        assert get(source.url("/none.m3u8"), fifo).returncode == 4
        assert read.result(SECONDS) == b""
    assert fifo.is_fifo()


def test_a_failure_without_a_reader_of_the_named_pipe_ends_at_once(source: Origin, fifo: Path) -> None:
    assert get(source.url("/none.m3u8"), fifo).returncode == 4
    assert fifo.is_fifo()


def test_a_failure_in_the_middle_leaves_a_named_pipe_without_the_index(source: Origin, fifo: Path) -> None:
    source.rules["/segment-2.ts"] = Rule(status=404, when=is_for_media)
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(fifo.read_bytes)
        assert get(source.url("/main.m3u8"), fifo).returncode == 4
        sent = read.result(SECONDS)
    assert sent[4:8] == b"ftyp"
    assert b"mfra" not in sent


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_wait_for_a_reader(number: signal.Signals, code: int, source: Origin, fifo: Path, tmp_path: Path) -> None:
    with started("get", source.url("/main.m3u8"), "-o", str(fifo)) as command:
        wait_until(lambda: len(source.requests) >= 4)
        time.sleep(0.5)
        command.send_signal(number)
        completed = command.end()
    assert (completed.returncode, completed.stderr) == (code, b"")
    assert [path.name for path in tmp_path.iterdir()] == [fifo.name]


@pytest.mark.parametrize("options", [[], ["--force"]])
def test_a_device_is_written_into(options: list[str], source: Origin, tmp_path: Path) -> None:
    null = node(tmp_path / "null", stat.S_IFCHR, 1, 3)
    completed = get(source.url("/main.m3u8"), null, *options)
    assert completed.returncode == 0
    assert b" MB, 6.0 s of media, in " in completed.stderr
    assert null.is_char_device()
    assert [path.name for path in tmp_path.iterdir()] == ["null"]


def test_a_full_device_is_an_error(source: Origin, tmp_path: Path) -> None:
    full = node(tmp_path / "full", stat.S_IFCHR, 1, 7)
    completed = get(source.url("/main.m3u8"), full)
    assert (completed.returncode, completed.stderr.decode()) == (6, f"transcoder: {full}: No space left on device.\n")
    with full.open("wb") as file:
        completed = run("get", source.url("/main.m3u8"), "-o", "-", output=file.fileno())
    assert (completed.returncode, completed.stderr) == (6, b"transcoder: Standard output: No space left on device.\n")
    assert full.is_char_device()


def test_a_disk_is_refused(source: Origin, tmp_path: Path) -> None:
    disk = node(tmp_path / "disk", stat.S_IFBLK, 240, 0)
    completed = get(source.url("/main.m3u8"), disk, "--force")
    assert completed.returncode == 6
    assert "neither a file nor a pipe" in completed.stderr.decode()
    assert disk.is_block_device()
    assert not source.requests


def test_a_socket_is_refused(source: Origin, tmp_path: Path) -> None:
    path = node(tmp_path / "socket", stat.S_IFSOCK, 0, 0)
    completed = get(source.url("/main.m3u8"), path, "--force")
    assert completed.returncode == 6
    assert "neither a file nor a pipe" in completed.stderr.decode()
    assert path.is_socket()


def test_a_terminal_is_refused(source: Origin) -> None:
    """The terminal is the test's own."""
    parent, child = pty.openpty()
    try:
        completed = get(source.url("/main.m3u8"), Path(os.ttyname(child)))
    finally:
        os.close(parent)
        os.close(child)
    assert completed.returncode == 6
    assert "is a terminal" in completed.stderr.decode()
    assert not source.requests


@pytest.mark.parametrize("options", [[], ["--force"]])
@pytest.mark.parametrize("is_link", [False, True])
def test_a_folder_is_refused(options: list[str], source: Origin, tmp_path: Path, *, is_link: bool) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    completed = get(source.url("/main.m3u8"), tmp_path / ("link" if is_link else "folder"), *options)
    assert completed.returncode == 6
    assert "is a folder" in completed.stderr.decode()
    assert not source.requests
    assert (tmp_path / "folder").is_dir()


def test_the_target_of_a_link_gets_the_file_and_the_link_stays(source: Origin, tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    target, link, second = tmp_path / "away" / "target.mp4", tmp_path / "link.mp4", tmp_path / "second.mp4"
    target.write_text("precious")
    link.symlink_to("away/target.mp4")
    second.symlink_to(link)
    completed = get(source.url("/main.m3u8"), second)
    assert completed.returncode == 6
    assert "--force" in completed.stderr.decode()
    assert target.read_text() == "precious"
    assert get(source.url("/main.m3u8"), second, "--force").returncode == 0
    assert media_reader.is_whole(target)
    assert second.is_symlink()
    assert link.is_symlink()
    assert [path.name for path in (tmp_path / "away").iterdir()] == ["target.mp4"]


def test_the_missing_target_of_a_link_is_made(source: Origin, tmp_path: Path) -> None:
    link = tmp_path / "link.mp4"
    link.symlink_to("target.mp4")
    assert get(source.url("/main.m3u8"), link).returncode == 0
    assert media_reader.is_whole(tmp_path / "target.mp4")
    assert link.is_symlink()


@pytest.mark.parametrize(
    ("leads_to", "message"),
    [
        pytest.param("link.mp4", "Too many levels of symbolic links", id="itself"),
        pytest.param("no/such/folder/x.mp4", "No such file or directory", id="a missing folder"),
    ],
)
def test_a_link_that_leads_nowhere_is_refused(leads_to: str, message: str, source: Origin, tmp_path: Path) -> None:
    (tmp_path / "link.mp4").symlink_to(leads_to)
    completed = get(source.url("/main.m3u8"), tmp_path / "link.mp4", "--force")
    assert completed.returncode == 6
    assert message in completed.stderr.decode()
    assert not source.requests
    assert (tmp_path / "link.mp4").is_symlink()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these links")
def test_a_path_of_standard_output_is_written_into(source: Origin) -> None:
    completed = run_piped("get", source.url("/main.m3u8"), "-o", "/proc/self/fd/1")
    assert completed.returncode == 0
    assert completed.stdout[-int.from_bytes(completed.stdout[-4:], "big") :][4:8] == b"mfra"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these links")
def test_a_file_that_has_no_path_any_more_is_refused(source: Origin, tmp_path: Path) -> None:
    with (tmp_path / "gone").open("wb") as file:
        (tmp_path / "gone").unlink()
        completed = run("get", source.url("/main.m3u8"), "-o", "/proc/self/fd/1", "--force", output=file.fileno())
    assert completed.returncode == 6
    assert b"not a file that can be replaced" in completed.stderr
    assert not list(tmp_path.iterdir())


def test_standard_output_that_is_closed_is_named(source: Origin) -> None:
    completed = run("get", source.url("/main.m3u8"), "-o", "-", output=CLOSED)
    assert (completed.returncode, completed.stderr) == (6, b"transcoder: Standard output is closed.\n")


def limited_get(most_bytes: int, *words: str) -> tuple[int, str]:
    """Run `get` where no file may have more than so many bytes, which fails as on a full disk. Return exit code and message."""
    first = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    reader, writer = os.pipe()  # a file for the message would be limited, too
    with os.fdopen(reader) as pipe:
        try:
            completed = run("get", *words, errors=writer, first=first)
        finally:
            os.close(writer)
        return completed.returncode, pipe.read()


@pytest.mark.parametrize(
    "missing_bytes",
    [
        pytest.param(None, id="the first byte"),
        pytest.param(200_000, id="in the middle"),
        pytest.param(1, id="the last byte, which may be written only when the file is closed"),
    ],
)
@pytest.mark.parametrize("existing", [None, "precious"])
def test_a_full_disk_leaves_nothing(
    missing_bytes: int | None, existing: str | None, source: Origin, usual_output: UsualOutput, tmp_path: Path
) -> None:
    options = ["--layout", "fragmented"]
    limit = 0 if missing_bytes is None else usual_output("ts-muxed", *options).stat().st_size - missing_bytes
    output = tmp_path / "video.mp4"
    if existing:
        output.write_text(existing)
    result = limited_get(limit, source.url("/main.m3u8"), "-o", str(output), "--force", *options)
    assert result == (6, f"transcoder: {output}: File too large.\n")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == ({"video.mp4": existing} if existing else {})


@pytest.mark.parametrize(
    ("missing_bytes", "named"),
    [
        pytest.param(None, "folder: File too large. A plain MP4 is made in a temporary file", id="the first byte of the media"),
        pytest.param(200_000, "folder: File too large. A plain MP4 is made in a temporary file", id="in the middle of the media"),
        pytest.param(1, "video.mp4: File too large.", id="the last byte of the MP4"),
    ],
)
def test_a_disk_without_room_for_a_plain_mp4_leaves_nothing(
    missing_bytes: int | None, named: str, source: Origin, usual_output: UsualOutput, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    limit = 0 if missing_bytes is None else usual_output("ts-muxed").stat().st_size - missing_bytes
    code, message = limited_get(limit, source.url("/main.m3u8"), "-o", str(folder / "video.mp4"))
    assert (code, named in message) == (6, True)
    assert not list(folder.iterdir())


def test_a_folder_that_may_not_be_written_to_is_named_before_anything_is_fetched(source: Origin, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(mode=0o500)
    if os.access(tmp_path / "folder", os.W_OK):
        pytest.skip("root may write to every folder")
    completed = get(source.url("/main.m3u8"), tmp_path / "folder" / "video.mp4")
    assert completed.returncode == 6
    assert "Permission denied" in completed.stderr.decode()
    assert not source.requests


def test_a_file_that_appears_meanwhile_is_not_overwritten(source: Origin, tmp_path: Path) -> None:
    source.rules["/segment-2.ts"] = Rule(delay=1.0, when=is_for_media)
    output = tmp_path / "video.mp4"
    with started("get", source.url("/main.m3u8"), "-o", str(output)) as command:
        wait_until(lambda: has_begun(tmp_path, source))
        output.write_text("precious")
        completed = command.end()
    assert completed.returncode == 6
    assert b"exists already" in completed.stderr
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"video.mp4": "precious"}


def test_a_named_pipe_that_appears_meanwhile_is_not_replaced(source: Origin, tmp_path: Path) -> None:
    source.rules["/segment-2.ts"] = Rule(delay=1.0, when=is_for_media)
    output = tmp_path / "video.mp4"
    with started("get", source.url("/main.m3u8"), "-o", str(output), "--force") as command:
        wait_until(lambda: has_begun(tmp_path, source))
        os.mkfifo(output)
        completed = command.end()
    assert completed.returncode == 6
    assert b"not a file that can be replaced" in completed.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]
    assert output.is_fifo()


def test_nohup_is_respected(source: Origin, tmp_path: Path) -> None:
    source.rules["/segment-2.ts"] = Rule(delay=1.0, when=is_for_media)
    output = tmp_path / "video.mp4"
    with started(
        "get", source.url("/main.m3u8"), "-o", str(output), first=partial(signal.signal, signal.SIGHUP, signal.SIG_IGN)
    ) as command:
        wait_until(lambda: has_begun(tmp_path, source))
        command.send_signal(signal.SIGHUP)
        assert command.end().returncode == 0
    assert media_reader.is_whole(output)


def test_a_terminal_that_is_closed_leaves_no_file(source: Origin, tmp_path: Path) -> None:
    source.rules["/segment-2.ts"] = Rule(stall_after=1000, when=is_for_media)
    parent, child = pty.openpty()
    words, environ = ["get", source.url("/main.m3u8"), "-o", str(tmp_path / "video.mp4")], {**os.environ, "TERM": "xterm"}
    # Its controlling terminal is its standard error.
    with started(*words, environ=environ, errors=child, first=partial(fcntl.ioctl, 2, termios.TIOCSCTTY, 0)) as command:
        os.close(child)
        wait_until(lambda: has_begun(tmp_path, source))
        os.close(parent)
        assert command.end().returncode == 129
    assert not list(tmp_path.iterdir())


def test_a_name_may_be_as_long_as_the_file_system_allows(source: Origin, tmp_path: Path) -> None:
    for name in ("a" * 251 + ".mp4", "\u00e9" * 125 + ".mp4"):
        assert get(source.url("/main.m3u8"), tmp_path / name).returncode == 0
        assert media_reader.is_whole(tmp_path / name)
