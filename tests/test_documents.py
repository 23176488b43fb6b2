"""The documents say what the program says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from peers.program_modules import MODULES, PACKAGE, nodes_of

ROOT = Path(__file__).parents[1]
MIN_PART = 12
"""Shorter parts of a sentence prove nothing."""


def literals() -> str:
    """Return all texts in the program, one per line."""
    constants = (node.value for path in MODULES for node in nodes_of(path) if isinstance(node, ast.Constant))
    return "\n".join(value for value in constants if isinstance(value, str))


def sentences() -> Iterator[str]:
    """Yield the sentences that the tables of refused sources quote."""
    for line in (ROOT / "docs" / "refused.md").read_text().splitlines():
        cells = line.split("|")
        if line.startswith("|") and len(cells) > 2:
            yield from re.findall(r"`([^`]+)`", cells[2])


def parts_of(sentence: str) -> list[str]:
    """Return the parts of a sentence between what stands for something else."""
    parts = (part.strip(" .;,") for part in sentence.replace("video=h264", "…").replace("audio_codec=copy", "…").split("…"))
    return [part for part in parts if len(part) >= MIN_PART]


def test_the_sentences_that_the_documents_quote_are_those_of_the_program() -> None:
    """One test for all of them reads each module once."""
    quoted = {sentence: parts_of(sentence) for sentence in sentences()}
    assert quoted
    assert [sentence for sentence, parts in quoted.items() if not parts and not sentence.startswith("…")] == []
    texts = literals()
    assert [part for parts in quoted.values() for part in parts if part not in texts] == []


def test_each_refusal_of_media_is_in_the_documents() -> None:
    documented = (ROOT / "docs" / "refused.md").read_text()
    missing = []
    for path in (path for path in MODULES if {PACKAGE / "core" / "media", PACKAGE / "core" / "output"} & {*path.parents}):
        for node in nodes_of(path):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "UnsupportedSourceError"):
                continue
            texts = [each.value.strip(" .;,") for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if not any(len(text) >= MIN_PART and text in documented for text in texts):
                missing.append(texts)
    assert missing == []
