"""The documents: their links lead somewhere, and nothing that a caller can use or get is left out."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from infra.config import Config
from transcoder import errors
from transcoder.cli.command_line import command_parser
from transcoder.cli.commands import COMMANDS
from transcoder.core.answer.cors import Cors
from transcoder.core.request.parameters import PARAMETERS
from transcoder.core.request.query import SIGNATURE_PARAMETERS

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
README_LINES = 150
"""A stranger reads no more."""
SLUGS = {kind.slug for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.TranscoderError)}
_LINK = re.compile(r"\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def broken_links(document: Path) -> Iterator[str]:
    """Yield the links of a document to files that are not there, or to headings that they do not have."""
    for groups in _LINK.findall(_CODE.sub("", document.read_text(encoding="utf-8"))):
        link = "".join(groups)
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


def words(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_a_file_and_a_heading(document: Path) -> None:
    assert list(broken_links(document)) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text(
        "# One title\n[a](#one-title) [b](#none) [c](none.md) [d](a.md#one-title) `[e](none.md)` [f](https://a.example/)\n", "utf-8"
    )
    assert list(broken_links(document)) == ["#none", "none.md"]


def test_the_readme_is_short() -> None:
    assert len(words("README.md").splitlines()) <= README_LINES


@pytest.mark.parametrize("name", [*(each.name for each in PARAMETERS), *sorted(SIGNATURE_PARAMETERS)])
def test_each_parameter_is_documented(name: str) -> None:
    documents = words("docs/http.md") + words("docs/embedding.md")
    assert f"`{name}`" in documents


@pytest.mark.parametrize("name", Cors().expose_headers)
def test_each_header_of_a_response_is_documented(name: str) -> None:
    assert f"`{name}" in words("docs/http.md").lower()


@pytest.mark.parametrize("slug", sorted(SLUGS))
def test_each_slug_is_documented(slug: str) -> None:
    assert f"`{slug}`" in words("docs/http.md").partition("## Errors")[2] + words("docs/command-line.md").partition("## Exit codes")[2]


@pytest.mark.parametrize("key", [each.name for each in fields(Config)])
def test_each_key_of_the_stack_is_documented(key: str) -> None:
    assert re.search(rf"^\|[^|]*`{key}`", words("docs/operating.md"), re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (command, option)
        for command in COMMANDS
        for action in command_parser(command)._actions  # noqa: SLF001  # argparse has no other way
        for option in action.option_strings
        if option.startswith("--") and option.removeprefix("--").replace("-", "_") not in {each.name for each in PARAMETERS}
    ],
)
def test_each_option_is_documented(command: str, option: str) -> None:
    """Those that are parameters of the function are documented there."""
    assert option in {"--help", "--no-config"} or re.search(rf"`[^`\n]*{option}\b", words("docs/command-line.md")), command
