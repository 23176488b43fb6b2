"""A small project is recorded and mutated: what is noticed is killed, what is not survives, and what does not end is stopped."""

import textwrap
from pathlib import Path

import pytest
from mutation.coverage_map import coverage_map
from mutation.mutants import Mutant, drawn
from mutation.results import lines
from mutation.run import try_all
from mutation.trial import Verdict, copied

MODULE = """
    import time

    DIVISOR = 1
    LIMIT = 3 // DIVISOR


    def is_small(number):
        return number < LIMIT


    def count_down(number):
        while number > 0 and not time.sleep(0.01):
            number -= 1
        return number


    def unused(number):
        return not number
"""
TESTS = """
    import pytest

    from transcoder.part.small import count_down, is_small


    @pytest.mark.parametrize("number", [1, 2])
    def test_small(number):
        assert is_small(number)
        assert not is_small(9)


    def test_count_down():
        assert count_down(2) == 0
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for path, text in {
        "transcoder/part/small.py": MODULE,
        "tests/test_small.py": TESTS,
        "tests/in_process.txt": "tests",
        "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['.']\naddopts = '--import-mode=importlib'\n",
        "fixtures/media/film": "",
        "build/old": "",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(textwrap.dedent(text).lstrip())
    return root


def cache_of(project: Path) -> Path:
    return project / "build" / "map.json"


def mutants_by_change(project: Path) -> dict[str, Mutant]:
    source = (project / "transcoder/part/small.py").read_bytes()
    mutants, _ = drawn(project, ["transcoder"], 99, "")
    return {mutant.described(source).rpartition("+ ")[2]: mutant for mutant in mutants}


def test_each_line_knows_its_tests(project: Path) -> None:
    reached, mutants = coverage_map(project, cache_of(project), processes=2), mutants_by_change(project)
    assert reached.tests_of(mutants["return (number <= LIMIT)"]) == ["tests/test_small.py::test_small"]
    assert reached.tests_of(mutants["while (number >= 0) and not time.sleep(0.01):"]) == ["tests/test_small.py::test_count_down"]
    assert set(reached.tests_of(mutants["LIMIT = (4) // DIVISOR"])) == set(reached.seconds)
    assert reached.tests_of(mutants["return (number)"]) == []


def test_a_value_of_a_module_is_also_tried_with_the_rules_which_run_none_of_its_lines(project: Path) -> None:
    (project / "tests" / "test_rules.py").write_text(
        "from transcoder.part.small import LIMIT\n\n\ndef test_limit():\n    assert LIMIT == 3\n"
    )
    reached, mutant = coverage_map(project, cache_of(project), processes=1), mutants_by_change(project)["LIMIT = (4) // DIVISOR"]
    (result,) = try_all(project, [mutant], reached, processes=1)
    assert (result.verdict, "test_limit" in result.killer) == (Verdict.KILLED, True)


def test_slower_tests_are_tried_if_they_are_named(project: Path) -> None:
    (project / "slow").mkdir()
    (project / "slow" / "test_unused.py").write_text(
        "from transcoder.part.small import unused\n\n\ndef test_unused():\n    assert unused(0)\n"
    )
    mutant = mutants_by_change(project)["return (number)"]
    for also, tests in ((), []), (["slow"], ["slow/test_unused.py::test_unused"]):
        assert coverage_map(project, cache_of(project), processes=1, also=also).tests_of(mutant) == tests


def test_what_the_list_leaves_out_is_not_tried(project: Path) -> None:
    (project / "tests" / "in_process.txt").write_text("tests\n--deselect=tests/test_small.py::test_count_down\n")
    reached = coverage_map(project, cache_of(project), processes=1)
    assert list(reached.seconds) == ["tests/test_small.py::test_small"]


@pytest.mark.long
def test_only_what_has_changed_is_recorded_again(project: Path) -> None:
    before = coverage_map(project, cache_of(project), processes=1)
    (project / "tests" / "test_more.py").write_text("def test_more():\n    pass\n")
    after = coverage_map(project, cache_of(project), processes=1)
    assert after.seconds.items() - before.seconds.items() == {
        ("tests/test_more.py::test_more", after.seconds["tests/test_more.py::test_more"])
    }
    (project / "transcoder" / "part" / "small.py").write_text("nothing = 1\n")
    with pytest.raises(RuntimeError, match="could not be run"):
        coverage_map(project, cache_of(project), processes=1)


def test_a_test_that_fails_is_left_out_until_it_passes(project: Path) -> None:
    broken = project / "tests" / "test_broken.py"
    broken.write_text("import os\n\n\ndef test_broken():\n    assert os.path.exists('build/fixed')\n")
    assert coverage_map(project, cache_of(project), processes=1).failed == ("tests/test_broken.py::test_broken",)
    (project / "build" / "fixed").touch()
    after = coverage_map(project, cache_of(project), processes=1)
    assert (after.failed, "tests/test_broken.py::test_broken" in after.seconds) == ((), True)


@pytest.mark.long
def test_what_becomes_of_mutants(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mutants, module = mutants_by_change(project), (project / "transcoder/part/small.py").read_bytes()
    expected = {
        "return (number <= LIMIT)": Verdict.SURVIVED,
        "while number > (1) and not time.sleep(0.01):": Verdict.KILLED,
        "return (number)": Verdict.UNREACHED,
        "DIVISOR = (0)": Verdict.KILLED,  # the module cannot be imported
    }
    reached = coverage_map(project, cache_of(project), processes=1)
    results = try_all(project, [mutants[change] for change in expected], reached, processes=2)
    assert {change: each.verdict for change, each in zip(expected, results, strict=True)} == expected
    assert (project / "transcoder/part/small.py").read_bytes() == module
    assert list((project / "build").glob("mutation/*")) == []
    *_, package, total = lines(results)
    assert package.split() == ["part", "2", "1", "0", "1", "67", "%"]
    assert total.split() == ["all", "2", "1", "0", "1", "67", "%"]
    assert "survived" in capsys.readouterr().out


def test_no_mutant_is_tried_with_the_compiled_code_of_another_of_the_same_length(project: Path) -> None:
    """They are written within one second, and the module as it was between them."""
    reached, mutants = coverage_map(project, cache_of(project), processes=1), mutants_by_change(project)
    changes = ["while number > (1) and not time.sleep(0.01):", "number -= (2)"] * 2
    results = try_all(project, [mutants[change] for change in changes], reached, processes=1)
    assert [each.verdict for each in results] == [Verdict.KILLED, Verdict.SURVIVED] * 2


def test_a_mutant_that_never_ends_is_stopped(project: Path) -> None:
    reached, endless = coverage_map(project, cache_of(project), processes=1), mutants_by_change(project)["pass"]
    results = try_all(project, [endless], reached, processes=1, patience=2.0)
    assert [each.verdict for each in results] == [Verdict.TIMEOUT]
    *_, total = lines(results)
    assert total.split() == ["all", "0", "0", "1", "0", "100", "%"]


def test_a_copy_has_the_sources_and_links_to_the_media(project: Path) -> None:
    with copied(project, project / "build" / "mutation") as tree:
        assert (tree / "transcoder" / "part" / "small.py").read_text() == (project / "transcoder" / "part" / "small.py").read_text()
        assert (tree / "fixtures" / "media" / "film").samefile(project / "fixtures" / "media" / "film")
        assert not (tree / "transcoder" / "part" / "small.py").samefile(project / "transcoder" / "part" / "small.py")
        assert not (tree / "build").exists()
    assert not tree.exists()
