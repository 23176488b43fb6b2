"""All mutants of a module: each is the module with one small change, and knows which lines a test must run to reach it."""

import ast
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mutation.edits import expressions_instead_of, statements_instead_of

_NOT_MUTATED = (ast.JoinedStr, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Pass, ast.Assert)
"""The parts of an f-string have no exact place before Python 3.12."""
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Reach:
    """The lines of the statement that a mutant changes; a test that runs one of them may notice."""

    first: int
    last: int
    in_function: bool
    """Otherwise it runs when the module is imported, and whoever uses the module may notice."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change in one module."""

    path: str
    """Of the module, from the root of the project."""
    start: int
    """Offset in the bytes of the module."""
    stop: int
    replacement: str
    line: int
    reach: Reach

    def applied(self, source: bytes) -> bytes:
        """Return the module with the change."""
        return source[: self.start] + self.replacement.encode() + source[self.stop :]

    def described(self, source: bytes) -> str:
        """Return the change as two lines of a diff."""
        begin = source.rfind(b"\n", 0, self.start) + 1
        end = source.find(b"\n", self.stop) % (len(source) + 1)
        lines = (source[begin:end], source[begin : self.start] + self.replacement.encode() + source[self.stop : end])
        before, after = (" ".join(each.decode().split()) for each in lines)
        return f"{self.path}:{self.line}\n    - {before}\n    + {after}"


class _Module:
    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.tree = ast.parse(source)
        self._line_starts = [0]
        for line in source.splitlines(keepends=True):
            self._line_starts.append(self._line_starts[-1] + len(line))

    def mutant(self, node: ast.expr | ast.stmt, instead: ast.expr | ast.stmt, reach: Reach) -> Mutant:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        text = ast.unparse(ast.fix_missing_locations(instead))
        start = self._line_starts[node.lineno - 1] + node.col_offset
        stop = self._line_starts[node.end_lineno - 1] + node.end_col_offset
        return Mutant(self.path, start, stop, f"({text})" if isinstance(instead, ast.expr) else text, node.lineno, reach)


def mutants_of(path: str, source: bytes) -> Iterator[Mutant]:
    """Yield all mutants of a module, in a fixed order."""
    module = _Module(path, source)
    yield from _of_block(module, module.tree.body, in_function=False)


def _of_block(module: _Module, block: Iterable[ast.stmt], *, in_function: bool) -> Iterator[Mutant]:
    for statement in block:
        if isinstance(statement, _NOT_MUTATED) or _is_docstring(statement):
            continue
        inner = list(_inner_blocks(statement))
        last = (inner[0][0].lineno - 1 if inner else statement.end_lineno) or statement.lineno
        reach = Reach(statement.lineno, max(statement.lineno, last), in_function)
        yield from _of_statement(module, statement, reach)
        for each in inner:
            yield from _of_block(module, each, in_function=in_function or isinstance(statement, _FUNCTIONS))


def _of_statement(module: _Module, statement: ast.stmt, reach: Reach) -> Iterator[Mutant]:
    for instead in statements_instead_of(statement):
        yield module.mutant(statement, instead, reach)
    if isinstance(statement, ast.If | ast.While) and not isinstance(statement.test, ast.UnaryOp | ast.Compare):
        yield module.mutant(statement.test, ast.UnaryOp(ast.Not(), statement.test), reach)
    if isinstance(statement, ast.Raise):
        return  # which words a message has is for its readers
    for expression in _own_expressions(statement):
        yield from _of_expression(module, expression, reach)


def _of_expression(module: _Module, expression: ast.expr, reach: Reach) -> Iterator[Mutant]:
    if isinstance(expression, _NOT_MUTATED):
        return
    for instead in expressions_instead_of(expression):
        yield module.mutant(expression, instead, reach)
    for child in _expressions_in(expression):
        yield from _of_expression(module, child, reach)


def _expressions_in(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the outermost expressions in a node; a comprehension, a keyword or a pattern may be between."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child
        elif not isinstance(child, ast.stmt | ast.arguments):
            yield from _expressions_in(child)


def _own_expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """Yield the expressions of a statement that are not in its blocks; annotations and decorators say something to others."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from (each for each in (*statement.args.defaults, *statement.args.kw_defaults) if each)
        case ast.ClassDef():
            return
        case ast.AnnAssign():
            yield from [statement.value] if statement.value else []
        case ast.Match():
            yield statement.subject
            yield from (case.guard for case in statement.cases if case.guard)
        case ast.Try():
            return
        case _:
            yield from _expressions_in(statement)


def _inner_blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "handlers", "cases", "orelse", "finalbody"):
        block = getattr(statement, name, [])
        if name in {"handlers", "cases"}:
            yield from (each.body for each in block)
        elif block:
            yield block


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def drawn(root: Path, paths: Iterable[str], number: int, seed: str) -> tuple[list[Mutant], int]:
    """Return so many mutants of the modules under `paths`, the same for the same seed and sources, and how many are possible."""
    modules = sorted({file for path in paths for file in ([root / path] if (root / path).is_file() else (root / path).rglob("*.py"))})
    possible = [mutant for file in modules for mutant in mutants_of(file.relative_to(root).as_posix(), file.read_bytes())]
    return random.Random(seed).sample(possible, min(number, len(possible))), len(possible)  # noqa: S311 - it must be repeatable
