"""A mutant changes one place of a module, and knows the lines of the statement that it changes."""

import ast
from pathlib import Path

import pytest
from mutation import mutants
from mutation.mutants import Mutant, drawn, mutants_of


def changed(source: str) -> set[str]:
    """Return the last line of each mutant of a module."""
    data = source.encode()
    return {mutant.applied(data).decode().splitlines()[-1].strip() for mutant in mutants_of("m.py", data)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = b < c", {"a = (b <= c)"}),
        ("a = b is not None", {"a = (b is None)"}),
        ("a = b == c == d", {"a = (b != c == d)", "a = (b == c != d)"}),
        ("a = b and c", {"a = (b or c)"}),
        ("a = not (b or c)", {"a = (b or c)", "a = not ((b and c))"}),
        ("a = 5", {"a = (6)", "a = (4)"}),
        ("a = True", {"a = (False)"}),
        ("a = 'é' + b", {"a = ('') + b", "a = ('é' - b)"}),
        ("a = f(b, c, d)", {"a = (f(c, b, d))"}),
        ("a = f(*b, c)", set()),
        ("a = max(b, c)", set()),
        ("a = f(b, b)", set()),
        ("a = b if c else d", {"a = (d if c else b)"}),
        ("a: list[int] = [b < c]", {"a: list[int] = [(b <= c)]"}),
        ("a = [b for b in c if not b]", {"a = [b for b in c if (b)]"}),
        ("f(b)", {"pass"}),
        ("a.b = c", {"pass"}),
        ("a += b", {"pass"}),
        ("raise ValueError('a', 'b')", {"pass"}),
        ("'a docstring'", set()),
        ("a = f'{b < c}'", set()),
        ("from b import c", set()),
        ("assert a < b", set()),
    ],
)
def test_each_kind_of_change(source: str, expected: set[str]) -> None:
    assert changed(source) == expected


def test_a_function_returns_something_else_and_its_condition_is_the_opposite() -> None:
    source = "def f(a, b=1):\n    if a:\n        return a, b\n    return a"
    found = {mutant.applied(source.encode()).decode() for mutant in mutants_of("m.py", source.encode())}
    assert found == {
        source.replace("b=1", "b=(2)"),
        source.replace("b=1", "b=(0)"),
        source.replace("if a", "if (not a)"),
        source.replace("return a, b", "return (b, a)"),
        source.removesuffix("a") + "None",
    }


def test_each_mutant_of_a_module_is_another_valid_module() -> None:
    source = Path(mutants.__file__).read_bytes()
    found = [mutant.applied(source) for mutant in mutants_of("m.py", source)]
    assert len(found) > 100
    original = ast.dump(ast.parse(source))
    assert all(ast.dump(ast.parse(each)) != original for each in found)


def test_a_mutant_knows_its_statement_without_the_blocks_in_it() -> None:
    source = b"A = 1\ndef f(a):\n    if (\n        a\n        < 2\n    ):\n        return g(\n            3\n        )\n    return None\n"
    reach = {(mutant.reach.first, mutant.reach.last, mutant.reach.in_function) for mutant in mutants_of("m.py", source)}
    assert reach == {(1, 1, False), (3, 6, True), (7, 9, True)}


def test_a_change_is_described_as_a_diff() -> None:
    source = b"def f(a):\n    return a  < 2\n"
    found = [mutant.described(source) for mutant in mutants_of("m.py", source)]
    assert "m.py:2\n    - return a < 2\n    + return (a <= 2)" in found


def test_the_draw_depends_on_the_seed_alone(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.py").write_text("a = 1 + 2 + 3\n")
    (tmp_path / "p" / "b.py").write_text("b = 1 < 2 < 3\n")
    both, possible = drawn(tmp_path, ["p"], 5, "x")
    assert drawn(tmp_path, ["p/b.py", "p/a.py"], 5, "x") == (both, possible)
    assert drawn(tmp_path, ["p"], 5, "y")[0] != both
    assert (len(both), possible) == (5, 16)
    everything, _ = drawn(tmp_path, ["p"], 99, "x")
    assert (len(everything), len(set(everything))) == (16, 16)
    assert {type(each) for each in everything} == {Mutant}
