"""The syntax trees of all modules of the program, parsed once for the tests of rules and documents."""

import ast
from functools import cache
from pathlib import Path

import transcoder

PACKAGE = Path(transcoder.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Return all that a module consists of, and the module itself first."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
