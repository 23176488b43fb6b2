"""`--cookies` and `--ca-file`: secrets go to their own hosts, and certificates are checked."""

import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Serve
from peers import command_line, media_reader
from peers.get_command import get
from peers.origin import Origin, origin

Files = tuple[dict[str, bytes], Path]
MAGIC = "# Netscape HTTP Cookie File\n"


@pytest.fixture
def elsewhere(muxed: Files) -> Iterator[Origin]:
    """The media on another host than the playlist."""
    with origin(muxed[0], host="127.0.0.2") as o:
        yield o


def seen(o: Origin) -> set[str | None]:
    return {request.headers.get("cookie") for request in o.requests}


def line(host: str, name: str, *, path: str = "/", secure: str = "FALSE", expires: int = 0) -> str:
    return f"{host}\tFALSE\t{path}\t{secure}\t{expires}\t{name}\t1\n"


def test_cookies_go_to_their_own_hosts(elsewhere: Origin, serve: Serve, muxed: Files, tmp_path: Path) -> None:
    lines = muxed[0]["/main.m3u8"].decode().splitlines()
    playlist = "\n".join(each if each.startswith("#") else elsewhere.url(f"/{each}") for each in lines).encode()
    home, cookies = serve({"/main.m3u8": playlist}), tmp_path / "cookies.txt"
    others = line("127.0.0.1", "old", expires=1), line("127.0.0.1", "tls", secure="TRUE"), line("127.0.0.1", "deep", path="/deep")
    cookies.write_text(MAGIC + line("127.0.0.1", "home") + line("127.0.0.2", "media", expires=4102444800) + "".join(others))
    assert get(home.url("/main.m3u8"), tmp_path / "x.mp4", "--cookies", str(cookies)).returncode == 0
    assert seen(home) == {"home=1"}
    assert seen(elsewhere) == {"media=1"}
    assert media_reader.is_whole(tmp_path / "x.mp4")


@pytest.mark.parametrize(
    ("content", "message"),
    [("a=b", "Netscape's format"), (MAGIC + line("a.example", "\xe9"), "is not ASCII"), (None, "No such file")],
)
def test_a_file_without_usable_cookies_is_refused(content: str | None, message: str, serve: Serve, muxed: Files, tmp_path: Path) -> None:
    home, cookies = serve(muxed[0]), tmp_path / "cookies.txt"
    if content is not None:
        cookies.write_text(content, encoding="utf-8")
    completed = get(home.url("/main.m3u8"), tmp_path / "x.mp4", "--cookies", str(cookies))
    assert (completed.returncode, message in completed.stderr.decode(), home.requests) == (2, True, [])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that nobody has signed, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    paths = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(paths[0]), "-keyout", str(paths[1])]
    subprocess.run([*command, *names], check=True, capture_output=True)
    return paths


def test_a_certificate_of_the_users_own_is_trusted(certificate: tuple[Path, Path], muxed: Files, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    trusted, output = str(certificate[0]), tmp_path / "x.mp4"
    with origin(muxed[0], tls=context) as home:
        command = ["get", home.url("/main.m3u8"), "-o", str(output), "--force"]
        assert command_line.run(*command, environ=os.environ | {"TRANSCODER_ATTEMPTS": "1"}).returncode == 4
        assert not output.exists()
        assert command_line.run(*command, "--ca-file", trusted).returncode == 0
        assert media_reader.is_whole(output)
        assert command_line.run(*command, environ=os.environ | {"SSL_CERT_FILE": trusted}).returncode == 0


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name, message in (("none.pem", b"No such file"), ("empty.pem", b"no certificates in PEM")):
        completed = get("https://127.0.0.1:9/v.m3u8", tmp_path / "x.mp4", "--ca-file", str(tmp_path / name))
        assert (completed.returncode, message in completed.stderr) == (2, True)


def test_a_function_gets_no_cookies(tmp_path: Path) -> None:
    completed = get("https://a.example/v.m3u8", tmp_path / "x.mp4", "--via", "http://127.0.0.1:9/", "--cookies", "c.txt")
    assert (completed.returncode, b"without --cookies" in completed.stderr) == (2, True)
