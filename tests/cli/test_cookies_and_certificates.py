"""`--cookies` and `--ca-file`: secrets go to their own hosts, and certificates are checked."""

import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Serve
from cryptography import x509
from peers import command_line, media_reader
from peers.certificates import LOOPBACK, Authority
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


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with certificates that `ca.pem` has signed: for this host, for another one, and one that has expired."""
    folder = tmp_path_factory.mktemp("authority")
    issuer = Authority(folder)
    issuer.issue([LOOPBACK], file="good")
    issuer.issue([x509.DNSName("other.example")], file="wrong")
    issuer.issue([LOOPBACK], file="expired", hours=-1)
    return folder


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("good", "unable to get local issuer certificate"),
        ("wrong", "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("expired", "certificate has expired"),
    ],
)
@pytest.mark.parametrize("via", [False, True])
def test_a_certificate_that_is_not_trusted_is_a_sentence_with_the_host(
    name: str,
    reason: str,
    authority: Path,
    muxed: Files,
    tmp_path: Path,
    *,
    via: bool,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / f"{name}.pem", authority / f"{name}.key")
    environ = os.environ | {"TRANSCODER_ATTEMPTS": "1"} | ({"SSL_CERT_FILE": str(authority / "ca.pem")} if name != "good" else {})
    with origin(muxed[0], tls=context) as home:
        words = ["https://example.com/a.m3u8", "--via", home.url("")] if via else [home.url("/main.m3u8")]
        completed = command_line.run_text("get", *words, "-o", str(tmp_path / "x.mp4"), environ=environ)
    whose, slug = ("127.0.0.1", "invocation-failed") if via else ("the origin", "upstream-failed")
    begin = "The function cannot be reached" if via else "main.m3u8 at 127.0.0.1"
    expected = f"transcoder: {begin}: the TLS certificate of {whose} is not trusted: {reason}. [{slug}]\n"
    assert (completed.returncode, completed.stderr) == (7 if via else 4, expected)
    assert not list(tmp_path.glob("*.mp4"))


def test_a_file_of_the_environment_without_certificates_is_refused_for_a_function_too(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name, message in (("none.pem", "No such file"), ("empty.pem", "no certificates in PEM")):
        for via in ([], ["--via", "https://127.0.0.1:9/"]):
            words = ["get", "https://127.0.0.1:9/v.m3u8", *via, "-o", str(tmp_path / "x.mp4")]
            completed = command_line.run_text(*words, environ=os.environ | {"SSL_CERT_FILE": str(tmp_path / name)})
            assert (completed.returncode, message in completed.stderr, completed.stderr.count("\n")) == (2, True, 1)
            assert completed.stderr.startswith("transcoder: SSL_CERT_FILE")
    completed = command_line.run_text("get", "https://127.0.0.1:9/v.m3u8", "--ca-file", "")
    assert (completed.returncode, completed.stderr) == (2, "transcoder: --ca-file '': the name of the file is empty.\n")


@pytest.mark.parametrize(
    ("address", "code", "message"),
    [
        ("http://127.0.0.1:9/", 7, "The function cannot be reached: 127.0.0.1 refuses the connection."),
        ("localhost:9", 7, "The function cannot be reached: localhost refuses the connection."),
        ("https://nowhere.invalid/", 7, "The function cannot be reached: the name of nowhere.invalid cannot be resolved (DNS)."),
        ("nowhere", 2, "--via: 'nowhere' is not an http or https address."),
        ("", 2, "--via: '' is not an http or https address."),
        (os.fsdecode(b"http://127.0.0.1:9/\xe9"), 2, "--via: 'http://127.0.0.1:9/\\udce9' is not an address."),
    ],
)
def test_a_function_that_is_not_there_is_a_sentence_with_its_host(address: str, code: int, message: str) -> None:
    environ = {name: text for name, text in os.environ.items() if not name.lower().endswith("_proxy")}
    completed = command_line.run_text("get", "https://example.com/a.m3u8", "--via", address, "-o", "-", environ=environ)
    assert (completed.returncode, completed.stderr.split(" [")[0].strip()) == (code, f"transcoder: {message}")
