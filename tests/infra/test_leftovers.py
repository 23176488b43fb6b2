"""`make deploy` and `make diff` name the stacks in us-east-1 that are no longer needed; `make prune` and `make destroy` delete them."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import pytest
from peers.aws_services import CREDENTIALS
from peers.cloudformation import Deployed, cloudformation
from peers.origin import Rule, origin

from infra.config import Config
from infra.global_names import CERTIFICATE, TRAFFIC, WEB_ACL, certificate_stack, description, needed_stacks, traffic_stack, web_acl_stack
from infra.packages.function import ROOT

REGION = "eu-west-1"
FULL = Config(domain_name="a.example", hosted_zone="Z1", rate_limit=100, traffic_alarm_gb=5)
DENIED = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not in this region.</Message></Error></ErrorResponse>"
MAIN = Deployed("Transcoder", region=REGION)


def beside(config: Config, region: str = REGION) -> list[Deployed]:
    """Return the stacks that `config` needs in us-east-1, as they are deployed."""
    certificate = Deployed(certificate_stack(config, region), description(CERTIFICATE, config, region))
    web_acl = Deployed(web_acl_stack(config, region), description(WEB_ACL, config, region))
    return [certificate, web_acl, Deployed(traffic_stack(config, region), description(TRAFFIC, config, region))]


OTHERS = [
    Deployed("Transcoder-eu-west-1-Site", "Somebody's own"),
    *beside(FULL, "eu-west-2"),
    *beside(Config(stack_name="Transcoder2", rate_limit=100)),
]
"""Stacks in us-east-1 that are none of the stack's business."""


def leftovers(stacks: list[Deployed], *arguments: str, answer: str = "", region: str = REGION) -> subprocess.CompletedProcess[str]:
    """Run the program with the configuration of infra/cdk.json, which needs nothing in us-east-1."""
    with cloudformation(stacks) as address:
        environment = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL_CLOUDFORMATION": address, "AWS_REGION": region}
        command = [sys.executable, "-m", "infra.leftovers", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, input=answer, capture_output=True, text=True, check=False, timeout=60)


def test_the_stacks_that_are_needed_follow_from_the_keys() -> None:
    assert needed_stacks(FULL, REGION) == [each.name for each in beside(FULL)]
    assert needed_stacks(Config(rate_limit=100), REGION) == ["Transcoder-eu-west-1-WebAcl"]
    assert needed_stacks(FULL, "us-east-1") == needed_stacks(Config(), REGION) == []
    assert needed_stacks(Config(front="api-gateway", rate_limit=100), REGION) == []


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--delete",), 2), (("--all", "--yes"), 2)])
def test_where_us_east_1_may_not_be_asked_only_deleting_fails(arguments: Sequence[str], code: int) -> None:
    with origin({}) as refusing:
        refusing.rules["*"] = Rule(status=403, body=DENIED)
        environment = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL_CLOUDFORMATION": refusing.url(""), "AWS_REGION": REGION}
        command = [sys.executable, "-m", "infra.leftovers", *arguments]
        result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr.startswith("Whether stacks are left in us-east-1 is not known: ")


def test_what_is_no_longer_needed_is_named_and_stays() -> None:
    stacks = [MAIN, *beside(FULL), *OTHERS]
    result = leftovers(stacks)
    assert (result.returncode, result.stderr) == (0, "")
    listed = ", ".join(sorted(each.name for each in beside(FULL)))
    assert result.stdout == f"Transcoder no longer needs {listed} in us-east-1; `make prune` deletes what is no longer needed.\n"
    assert stacks == [MAIN, *beside(FULL), *OTHERS]


def test_nothing_is_said_where_nothing_is_left() -> None:
    result = leftovers([MAIN, *OTHERS])
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize(("arguments", "answer"), [(["--delete"], "y\n"), (["--delete", "--yes"], "")], ids=["agreed", "without asking"])
def test_what_is_no_longer_needed_is_deleted_and_nothing_else(arguments: list[str], answer: str) -> None:
    stacks = [MAIN, *beside(FULL), *OTHERS]
    result = leftovers(stacks, *arguments, answer=answer)
    assert (result.returncode, result.stderr) == (0, "")
    assert stacks == [MAIN, *OTHERS]
    assert result.stdout.count("was deleted.") == 3


def test_what_the_deployed_stack_still_uses_is_not_deleted() -> None:
    reference = {"Fn::GetStackOutput": {"StackName": web_acl_stack(FULL, REGION), "OutputName": "Arn", "Region": "us-east-1"}}
    stacks = [replace(MAIN, template=json.dumps({"Resources": {"A": {"Properties": {"WebACLId": reference}}}})), *beside(FULL)]
    result = leftovers(stacks, "--delete", "--yes")
    assert (result.returncode, len(stacks)) == (1, 4)
    assert result.stderr == "Transcoder as it is deployed still uses Transcoder-eu-west-1-WebAcl; run make deploy first.\n"


@pytest.mark.parametrize("answer", ["\n", "no\n", ""], ids=["nothing", "no", "the end of the input"])
def test_nothing_is_deleted_unless_someone_agrees(answer: str) -> None:
    stacks = [MAIN, *beside(FULL)]
    result = leftovers(stacks, "--delete", answer=answer)
    assert (result.returncode, result.stderr) == (1, "Nothing was deleted.\n")
    assert len(stacks) == 4


def test_with_the_stack_all_of_them_go_and_not_before_it() -> None:
    stacks = [MAIN, *beside(FULL), *OTHERS]
    early = leftovers(stacks, "--all", "--yes")
    assert (early.returncode, len(stacks)) == (1, 4 + len(OTHERS))
    assert "Transcoder is still there" in early.stderr
    stacks.remove(MAIN)
    assert leftovers(stacks, "--all", "--yes").returncode == 0
    assert stacks == OTHERS


def test_the_makefile_asks_after_each_deployment() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = {each.partition(":")[0]: each for each in makefile.split("\n\n")}
    for target, last in (
        ("deploy", "@$(LEFTOVERS)"),
        ("diff", "@$(LEFTOVERS)"),
        ("prune", "$(LEFTOVERS) --delete"),
        ("destroy", "$(LEFTOVERS) --all"),
    ):
        assert recipes[target].splitlines()[-1].strip() == last
