"""The rules of docs/architecture.md that the source code can be checked for."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import transcoder

PACKAGE = Path(transcoder.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LAYERS = [
    *({"errors", "settings"}, {"core"}, {"edge"}, {"pipeline"}, {"app"}, {"bootstrap", "canary", "emulator"}, {"local"}, {"api"}, {"cli"}),
    {"__main__", "__init__", "limits"},  # the face of the package imports what it is asked for
]
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
UNDER_EDGES = {"address_guard", "pipe", "confinement", "stall_watch", "header_fields", "task_group", "s3_client"}
"""What edges may share: which addresses a connection may go to, how to wait for a descriptor, what bounds a child, what shows a stall, how
header fields are read, how tasks are awaited, how AWS's SDK is imported and S3 asked."""
READS_ENVIRONMENT = {"bootstrap", "canary", "emulator", "cli", "api"}
WINGS = {
    "media": set(),
    "answer": set(),
    "request": {"media"},
    "hls": {"media", "request"},
    "output": {"media", "request", "hls"},
    "source": {"media", "request", "hls", "answer"},
}
"""The wings of the core, and the others that each may import. `answer` knows `errors` alone; `source` takes file names from it."""
MAX_MODULE_LINES = 250
MAX_FUNCTION_LINES = 30
LONGER_FUNCTIONS: dict[str, str] = {}
"""Functions that may have more lines, each with its reason; ten at the most."""
IMPURE = {
    *("asyncio", "concurrent", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "select", "selectors", "shutil"),
    *("signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time"),
    *("boto3", "botocore", "h11", "httpx", "imageio_ffmpeg", "rich"),
}

CORE = [path for path in MODULES if path.parts[len(PACKAGE.parts)] == "core"]

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
    assert {part_of(path) for path in MODULES} <= set(LEVEL)


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


def wing_of(name: str) -> str | None:
    """Return the wing of the core that a dotted name lies in."""
    parts = name.split(".")
    return parts[2] if parts[:2] == ["transcoder", "core"] and len(parts) > 2 else None


def test_the_core_is_its_wings_and_nothing_else() -> None:
    found = {path.name for path in (PACKAGE / "core").iterdir()} - {"__init__.py", "__pycache__"}
    assert found == set(WINGS)


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_wings_import_only_those_below_them(path: Path) -> None:
    own = path.relative_to(PACKAGE / "core").parts[0]
    wings = {wing for name in imports(path) if (wing := wing_of(name))}
    assert wings - {own} <= WINGS.get(own, set())
    others = {name.split(".")[1] for name in imports(path) if name.startswith("transcoder.")} - {"core"}
    assert others <= {"errors"}


def test_modules_do_not_import_in_a_circle() -> None:
    names = {path: ".".join(("transcoder", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__") for path in MODULES}
    graph = {names[path]: {name for name in imports(path) if name in names.values()} - {names[path]} for path in MODULES}
    # A package's own face imports its modules, and they import each other by their full names.
    faces = {names[path] for path in MODULES if path.name == "__init__.py"}
    graph = {name: {other for other in found if other not in faces or not name.startswith(f"{other}.")} for name, found in graph.items()}
    assert tuple(TopologicalSorter(graph).static_order())


def test_one_class_parses_box_headers() -> None:
    """Return the places that unpack a size and a type: one function reads them, whoever needs them."""
    pattern = re.compile(r"I4s|at \+ 4 : at \+ (8|HEADER_BYTES)\]")
    found = {str(path.relative_to(PACKAGE)) for path in MODULES if pattern.search(path.read_text(encoding="utf-8"))}
    assert found == {"core/media/mp4/box_header.py"}
    boxes = [node.name for path in MODULES for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef) and node.name.endswith("Box")]
    assert boxes == ["Box"]


@every_module
def test_no_module_has_two_reasons_to_change(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_MODULE_LINES


@every_module
def test_functions_fit_on_a_screen(path: Path) -> None:
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f"{path.relative_to(PACKAGE)}:{node.name}" for node in functions if (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES}
    assert long <= set(LONGER_FUNCTIONS)


def test_exceptions_are_few_and_needed() -> None:
    assert len(LONGER_FUNCTIONS) <= 10
    for name in LONGER_FUNCTIONS:
        file, _, function = name.partition(":")
        nodes = [node for node in ast.walk(tree(PACKAGE / file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        (found,) = [node for node in nodes if node.name == function]
        assert (found.end_lineno or 0) - found.lineno >= MAX_FUNCTION_LINES
