"""The rules of docs/architecture.md that the source code can be checked for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import transcoder

PACKAGE = Path(transcoder.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LAYERS = [{"errors", "settings"}, {"core"}, {"edge"}, {"pipeline"}, {"app"}, {"bootstrap", "emulator"}, {"cli"}, {"__main__"}]
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
UNDER_EDGES = {"address_guard", "pipe"}
"""What edges may share: which addresses a connection may go to, and how to wait for a descriptor."""
READS_ENVIRONMENT = {"bootstrap", "emulator", "cli"}
LONGEST = 260
"""About 250 lines."""
IMPURE = {
    *("asyncio", "concurrent", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "select", "selectors", "shutil"),
    *("signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time"),
    *("boto3", "botocore", "h11", "httpx", "imageio_ffmpeg", "rich"),
}

every_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything that a module imports; `from transcoder import core` counts as `transcoder.core`."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, names=names, level=0) if module:
                yield from (f"{module}.{name.name}" for name in names) if module in {"transcoder", "transcoder.edge"} else (module,)


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_part_of_the_package_has_a_level() -> None:
    assert {part_of(path) for path in MODULES} - {"__init__"} <= set(LEVEL)


@every_module
def test_imports_point_down(path: Path) -> None:
    own = part_of(path)
    parts = {name.split(".")[1] for name in imports(path) if name.startswith("transcoder.")} & set(LEVEL)
    level = LEVEL.get(own, -1)
    assert not {part for part in parts if LEVEL[part] > level}
    assert LAYERS[level] != {"errors", "settings"} or parts <= {"errors", own}


@every_module
def test_imports_are_absolute(path: Path) -> None:
    assert not [node for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom) and node.level]


@pytest.mark.parametrize("path", [path for path in MODULES if part_of(path) == "edge"], ids=lambda path: str(path.relative_to(PACKAGE)))
def test_edges_do_not_know_each_other(path: Path) -> None:
    own = path.relative_to(PACKAGE / "edge").parts[0].removesuffix(".py")
    others = {name.split(".")[2] for name in imports(path) if name.startswith("transcoder.edge.")} - {own}
    assert others <= (set() if own in UNDER_EDGES else UNDER_EDGES)


@pytest.mark.parametrize("path", [path for path in MODULES if part_of(path) == "core"], ids=lambda path: str(path.relative_to(PACKAGE)))
def test_core_touches_nothing_outside(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & IMPURE
    nodes = list(ast.walk(tree(path)))
    assert not [node.name for node in nodes if isinstance(node, ast.AsyncFunctionDef)]
    calls = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not calls & {"open", "print", "input"}


@every_module
def test_only_entry_points_read_the_environment(path: Path) -> None:
    names = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    assert part_of(path) in READS_ENVIRONMENT or not names & {"environ", "getenv"}


@every_module
def test_tasks_are_started_in_a_group(path: Path) -> None:
    loose = {"asyncio.create_task", "asyncio.ensure_future"}
    assert not {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)} & loose


@every_module
def test_no_module_has_two_reasons_to_change(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST
