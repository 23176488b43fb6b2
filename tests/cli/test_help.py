"""How the command line helps those who do not know it, or mistype it."""

from pathlib import Path

import pytest
from conftest import Serve
from peers import command_line, media_reader

from transcoder.cli import main
from transcoder.cli.command_line import command_parser
from transcoder.cli.commands import COMMANDS
from transcoder.cli.exit_codes import DESCRIPTIONS
from transcoder.core.request.output_format import FileFormat

every_command = pytest.mark.parametrize("name", list(COMMANDS))


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Return the exit code of a command line, and what it prints."""
    try:
        code = main(words)
    except SystemExit as ended:  # --help
        code = ended.code if isinstance(ended.code, int) else 1
    return (code, *capsys.readouterr())


def test_without_words_there_is_a_short_help_and_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    code, output, errors = printed(capsys)
    assert (code, output) == (2, "")
    assert errors.startswith("usage: transcoder URL [-o FILE]")
    assert all(f"  {name} " in errors and command.summary in errors for name, command in COMMANDS.items())
    assert "  transcoder get https://" in errors
    assert len(errors.splitlines()) < 24  # a terminal shows it at once


def test_a_source_alone_is_saved(serve: Serve, muxed: tuple[dict[str, bytes], Path], tmp_path: Path) -> None:
    url = serve(muxed[0]).url("/main.m3u8")
    assert command_line.run(url, "-o", str(tmp_path / "one.mp4")).returncode == 0
    assert command_line.run("-o", str(tmp_path / "two.mp4"), url).returncode == 0
    assert media_reader.is_whole(tmp_path / "one.mp4")
    assert media_reader.is_whole(tmp_path / "two.mp4")


@pytest.mark.parametrize(
    ("words", "usage", "message"),
    [
        (["gte", "https://a.example/"], "transcoder URL", "transcoder: there is no command 'gte'; did you mean get?"),
        (["nothing"], "transcoder URL", "transcoder: there is no command 'nothing'."),
        (["get", "u", "--heigth", "720"], "transcoder get URL", "transcoder get: there is no option --heigth; did you mean --height?"),
        (["get", "u", "--heigth=720", "v"], "transcoder get URL", "transcoder get: there is no option --heigth; did you mean --height?"),
        (["--forse", "u"], "transcoder get URL", "transcoder get: there is no option --forse; did you mean --force?"),
        (["info", "u", "--jsn"], "transcoder info URL", "transcoder info: there is no option --jsn; did you mean --json?"),
        (["serve", "--concurency", "2"], "transcoder serve [-h]", "there is no option --concurency; did you mean --concurrency?"),
        (["sign", "u", "--zzzzzz"], "transcoder sign URL", "transcoder sign: there is no option --zzzzzz."),
        (["info", "u", "v"], "transcoder info URL", "transcoder info: one word too many: 'v'."),
        (["info"], "transcoder info URL", "transcoder info: the following arguments are required: URL"),
    ],
)
def test_a_mistake_is_answered_with_the_usage_of_the_command_and_what_was_meant(
    words: list[str], usage: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, output, errors = printed(capsys, *words)
    assert (code, output) == (2, "")
    assert errors.startswith(f"usage: {usage}")
    assert errors.endswith(f"{message}\n")


@every_command
def test_help_has_examples_that_the_command_understands(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, output, errors = printed(capsys, name, "--help")
    assert (code, errors) == (0, "")
    assert 2 <= len(COMMANDS[name].examples) <= 3
    for example in COMMANDS[name].examples:
        assert f"  {example}\n" in output
        words = example.split()
        assert words[:2] == ["transcoder", name]
        assert command_parser(name).parse(words[2:]).run


@pytest.mark.parametrize("name", ["get", "info", "invoke", "sign"])
def test_help_shows_choices(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    output = printed(capsys, name, "--help")[1]
    assert "--format {mp4,m4a,mp3,file}" in output
    assert [each.value for each in FileFormat] == ["mp4", "m4a", "mp3", "file"]
    assert "--layout {auto,plain,fragmented}" in output


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_lists_every_exit_code(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    output = printed(capsys, *words)[1]
    assert all(f"  {code.value:>3}  {text}\n" in output for code, text in DESCRIPTIONS.items())
