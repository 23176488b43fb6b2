"""What surrounds the program: workflows, forms and hooks can be read, call only `make`, and name targets that there are."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_documentation import DOCUMENTS

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
FORMS = sorted(path for path in ROOT.glob(".github/ISSUE_TEMPLATE/*.yml") if path.name != "config.yml")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
TEXTS = [*DOCUMENTS, ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md"]
FORM_PARTS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}


def parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def targets_of(command: str) -> list[str]:
    """Return the targets of a call of make: its words up to the end of the command, without variables and options."""
    words = shlex.split(re.split(r"&&|;|\|", command)[0], comments=True)
    return [word for word in words[1:] if "=" not in word and not word.startswith("-")]


def steps(workflow: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each job of a workflow with each of its steps."""
    for job in parsed(workflow)["jobs"].values():
        for step in job["steps"]:
            yield job, step


def commands(workflow: Path) -> Iterator[str]:
    """Yield the commands of a workflow, once for each value of the matrix that they contain."""
    for job, step in steps(workflow):
        matrix = job.get("strategy", {}).get("matrix", {})
        if "run" in step:
            name = re.search(r"\$\{\{ matrix\.(\w+) \}\}", step["run"])
            values = matrix[name[1]] if name else [""]
            yield from (step["run"].replace(name[0], value) if name else step["run"] for value in values)


def named_in(text: str) -> Iterator[str]:
    """Yield the calls of make in a document's code: spans that begin with it, and lines of blocks that do."""
    yield from re.findall(r"`(make [^`\n]+)`", text)
    yield from re.findall(r"^(?: {4}|\t)(make .+)$", text, re.MULTILINE)


def test_there_is_what_is_tested() -> None:
    assert {path.name for path in WORKFLOWS} == {"checks.yml", "weekly.yml"}
    assert {path.name for path in FORMS} == {"bug.yml", "source.yml", "idea.yml"}
    assert {"demo", "test", "check", "deploy"} < TARGETS


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_only_calls_targets_of_the_makefile(workflow: Path) -> None:
    found = list(commands(workflow))
    assert found
    for command in found:
        assert command.startswith("make ")
        assert set(targets_of(command)) <= TARGETS, command


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_pins_its_actions_and_may_only_read(workflow: Path) -> None:
    actions = [step["uses"] for _, step in steps(workflow) if "uses" in step]
    assert actions
    assert [action for action in actions if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)] == []
    assert parsed(workflow)["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_a_form_asks_for_something(form: Path) -> None:
    content = parsed(form)
    assert content["name"]
    assert content["description"]
    assert {part["type"] for part in content["body"]} <= FORM_PARTS
    fields = [part for part in content["body"] if part["type"] != "markdown"]
    assert all(part["attributes"]["label"] for part in fields)
    assert len({part["id"] for part in fields}) == len(fields)
    assert any(part.get("validations", {}).get("required") for part in fields)


def test_the_forms_are_the_only_way() -> None:
    assert parsed(ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml") == {"blank_issues_enabled": False}


def test_the_hooks_run_what_the_makefile_installs() -> None:
    (repository,) = parsed(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/") or set(targets_of(hook["entry"])) <= TARGETS


@pytest.mark.parametrize("document", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_target_that_a_document_names_is_there(document: Path) -> None:
    named = {target for call in named_in(document.read_text(encoding="utf-8")) for target in targets_of(call)}
    assert named <= TARGETS


def test_a_target_that_is_not_there_is_found() -> None:
    text = "Run `make demo N=3`, then `make nothing`:\n\n    make test  # all of them\n    make X=1 other && make demo\n"
    assert [targets_of(call) for call in named_in(text)] == [["demo"], ["nothing"], ["test"], ["other"]]
