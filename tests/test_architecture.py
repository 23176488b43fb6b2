"""The rules of docs/architecture.md that the source code can be checked for."""

import ast
import importlib
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from peers.program_modules import MODULES, PACKAGE, nodes_of

LAYERS = [
    *({"errors", "settings"}, {"core"}, {"edge"}, {"pipeline"}, {"app"}, {"bootstrap", "canary", "emulator"}, {"local"}, {"api"}, {"cli"}),
    {"__main__", "__init__", "limits"},  # the face of the package imports what it is asked for
]
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
UNDER_EDGES = {
    "address_guard",
    "pipe",
    "confinement",
    "stall_watch",
    "header_fields",
    "task_group",
    "s3_client",
    "resource_name",
    "connection_failure",
    "ffmpeg_file",
}
"""What edges may share: which addresses a connection may go to, how to wait for a descriptor, what bounds a child, what shows a stall, how
header fields are read, how tasks are awaited, how AWS's SDK is imported and S3 asked, how messages name a resource
and say why there is no connection, which file ffmpeg is."""
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


@cache
def imports(path: Path) -> frozenset[str]:
    return frozenset(imported_by(path))


def imported_by(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything that a module imports; `from transcoder import core` counts as `transcoder.core`."""
    for node in nodes_of(path):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, names=names, level=0) if module:
                yield from (f"{module}.{name.name}" for name in names) if module in {"transcoder", "transcoder.edge"} else (module,)


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_part_of_the_package_has_a_level() -> None:
    assert {part_of(path) for path in MODULES} <= set(LEVEL)


def test_imports_point_down() -> None:
    found = {}
    for path in MODULES:
        parts = {name.split(".")[1] for name in imports(path) if name.startswith("transcoder.")} & set(LEVEL)
        level = LEVEL.get(part_of(path), -1)
        found[name_of(path)] = {part for part in parts if LEVEL[part] > level}
        if LAYERS[level] == {"errors", "settings"}:
            found[name_of(path)] |= parts - {"errors", part_of(path)}
    assert_none(found)


def assert_none(found: Mapping[str, Collection[str]]) -> None:
    """Check that nothing was found in any of the modules; one test for all of them reads each file once. There must be modules."""
    assert found
    assert {name: what for name, what in found.items() if what} == {}


def test_imports_are_absolute() -> None:
    assert_none(
        {
            name_of(path): [ast.unparse(node) for node in nodes_of(path) if isinstance(node, ast.ImportFrom) and node.level]
            for path in MODULES
        }
    )


def test_edges_do_not_know_each_other() -> None:
    found = {}
    for path in MODULES:
        if part_of(path) == "edge":
            own = path.relative_to(PACKAGE / "edge").parts[0].removesuffix(".py")
            others = {name.split(".")[2] for name in imports(path) if name.startswith("transcoder.edge.")} - {own}
            found[name_of(path)] = others - (set() if own in UNDER_EDGES else UNDER_EDGES)
    assert_none(found)


def test_core_touches_nothing_outside() -> None:
    found = {}
    for path in CORE:
        nodes = nodes_of(path)
        coroutines = {node.name for node in nodes if isinstance(node, ast.AsyncFunctionDef)}
        calls = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        found[name_of(path)] = {name.split(".")[0] for name in imports(path)} & IMPURE | coroutines | calls & {"open", "print", "input"}
    assert_none(found)


def test_only_entry_points_read_the_environment() -> None:
    found = {}
    for path in MODULES:
        names = {node.attr for node in nodes_of(path) if isinstance(node, ast.Attribute)}
        found[name_of(path)] = names & {"environ", "getenv"} if part_of(path) not in READS_ENVIRONMENT else set()
    assert_none(found)


def test_tasks_are_started_in_a_group() -> None:
    loose = {"asyncio.create_task", "asyncio.ensure_future"}
    calls = {name_of(path): {ast.unparse(node.func) for node in nodes_of(path) if isinstance(node, ast.Call)} for path in MODULES}
    assert_none({name: called & loose for name, called in calls.items()})


def wing_of(name: str) -> str | None:
    """Return the wing of the core that a dotted name lies in."""
    parts = name.split(".")
    return parts[2] if parts[:2] == ["transcoder", "core"] and len(parts) > 2 else None


def test_the_core_is_its_wings_and_nothing_else() -> None:
    found = {path.name for path in (PACKAGE / "core").iterdir()} - {"__init__.py", "__pycache__"}
    assert found == set(WINGS)


def test_wings_import_only_those_below_them() -> None:
    found = {}
    for path in CORE:
        own = path.relative_to(PACKAGE / "core").parts[0]
        wings = {wing for name in imports(path) if (wing := wing_of(name))}
        others = {name.split(".")[1] for name in imports(path) if name.startswith("transcoder.")} - {"core"}
        found[name_of(path)] = wings - {own} - WINGS.get(own, set()) | others - {"errors"}
    assert_none(found)


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
    boxes = [node.name for path in MODULES for node in nodes_of(path) if isinstance(node, ast.ClassDef) and node.name.endswith("Box")]
    assert boxes == ["Box"]


def test_no_module_has_two_reasons_to_change() -> None:
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert_none({name: [f"{count} lines"] if count > MAX_MODULE_LINES else [] for name, count in lines.items()})


def test_functions_fit_on_a_screen() -> None:
    found = {}
    for path in MODULES:
        functions = [node for node in nodes_of(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        long = {f"{name_of(path)}:{node.name}" for node in functions if (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES}
        found[name_of(path)] = long - set(LONGER_FUNCTIONS)
    assert_none(found)


def test_exceptions_are_few_and_needed() -> None:
    assert len(LONGER_FUNCTIONS) <= 10
    for name in LONGER_FUNCTIONS:
        file, _, function = name.partition(":")
        nodes = [node for node in nodes_of(PACKAGE / file) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        (found,) = [node for node in nodes if node.name == function]
        assert (found.end_lineno or 0) - found.lineno >= MAX_FUNCTION_LINES


def test_each_name_that_a_package_exports_is_there() -> None:
    for folder in (path.parent for path in MODULES if path.name == "__init__.py"):
        module = importlib.import_module(".".join(folder.relative_to(PACKAGE.parent).parts))
        names = getattr(module, "__all__", [])
        assert [name for name in names if not hasattr(module, name)] == [], folder
        assert len(set(names)) == len(names), folder
