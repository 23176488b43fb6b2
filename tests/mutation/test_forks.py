"""Mutants tried in forks have the same verdicts as in an interpreter of their own, whatever their functions are made into."""

import textwrap
from pathlib import Path

import pytest
from mutation.coverage_map import coverage_map
from mutation.mutants import drawn
from mutation.run import try_all
from mutation.trial import Verdict

MODULE = """
    import gc
    from contextlib import contextmanager
    from functools import cache, cached_property, partial
    from typing import NamedTuple


    @cache
    def cached(number):
        return number + 1


    @contextmanager
    def managed(number):
        yield number + 2


    def outer(number):
        def inner():
            return number + 3

        return inner


    kept = outer(1)


    def generated(number):
        return [each + 4 for each in range(number) if (lambda one: one + 10)(each)]


    class Pair(NamedTuple):
        number: int

        @property
        def more(self):
            return self.number + 5

        @cached_property
        def most(self):
            return self.number + 6

        async def later(self):
            return self.number + 7


    def at_import(number):
        return number + 8


    TABLE = at_import(1)


    def bound(number, one=partial(cached, 1)):
        return number + 9


    gc.freeze()
"""
TESTS = """
    import asyncio
    import os

    from transcoder.part import many

    PROCESS = os.getpid()


    def test_all():
        pair = many.Pair(1)
        with many.managed(1) as managed:
            values = [many.cached(1), managed, many.outer(1)(), many.kept(), many.generated(1), pair.more, many.Pair.most.func(pair)]
        assert values == [2, 3, 4, 4, [4], 6, 7]
        assert asyncio.run(pair.later()) == 8
        assert (many.TABLE, many.at_import(1), many.bound(1)) == (9, 9, 10)


    def test_a_module_that_is_imported_late():
        from transcoder.part import late

        assert late.late(1) == 12


    def test_what_a_fork_lacks():
        from transcoder.part import unsound

        unsound.unsound(1)
        assert os.getpid() == PROCESS
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for path, text in {
        "transcoder/part/many.py": MODULE,
        "transcoder/part/late.py": "def late(number):\n    return number + 11\n",
        "transcoder/part/unsound.py": "def unsound(number):\n    return number + 12\n",
        "tests/test_many.py": TESTS,
        "tests/in_process.txt": "tests",
        "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['.']\naddopts = '--import-mode=importlib'\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(textwrap.dedent(text).lstrip())
    return root


@pytest.mark.long
def test_a_mutant_is_noticed_wherever_its_function_is_kept(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mutants, _ = drawn(project, ["transcoder"], 999, "")
    sums = [each for each in mutants if each.replacement.startswith(("(number - ", "(each - ", "(self.number - "))]
    results = try_all(project, sums, coverage_map(project, project / "build" / "map.json", processes=1), processes=1)
    assert {each.mutant.replacement for each in results if not each.in_fork} == {"(number - 8)", "(number - 12)"}
    assert {each.mutant.path.rpartition("/")[2]: each.verdict for each in results if each.verdict is not Verdict.KILLED} == {
        "unsound.py": Verdict.SURVIVED
    }
    out = capsys.readouterr().out
    assert (len(results), out.count("killed"), out.count("survived")) == (11, 10, 1)
