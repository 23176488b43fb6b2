"""The stack's CloudFormation templates, for tests that ask what is in them. Without Node.js these are skipped."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from infra.config import Config
from infra.context import read_config

aws_cdk = pytest.importorskip("aws_cdk", reason="the stack's dependencies are not installed; run `make infra`")
if shutil.which("node") is None:
    pytest.skip("the AWS CDK needs Node.js", allow_module_level=True)

from aws_cdk import App, Stack  # noqa: E402
from aws_cdk.assertions import Template  # noqa: E402

from infra.app import EXAMPLES, add_stacks  # noqa: E402
from infra.function import Packages  # noqa: E402

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/name/12345678-1234-1234-1234-123456789012"
DEFAULT = Config()
FULL = Config(
    arch="x86_64",
    signing=True,
    allowed_hosts=("a.example", "b.example"),
    domain_name="videos.example",
    certificate_arn=CERTIFICATE,
    web_acl_arn=WEB_ACL,
    alarm_topic_arn="arn:aws:sns:eu-west-1:123456789012:alarms",
    allowed_buckets=("some-videos", "more.videos"),
    file_days=3,
)
NO_BUCKET = Config(bucket=False, canary_minutes=0)
NEW_ACCOUNT, API_GATEWAY, EVERYTHING = (
    read_config(json.loads(EXAMPLES[name].read_text(encoding="utf-8"))) for name in ("new-account", "api-gateway", "everything")
)
CONFIGS = {
    "defaults": DEFAULT,
    "all options": FULL,
    "no bucket": NO_BUCKET,
    "new account": NEW_ACCOUNT,
    "API Gateway": API_GATEWAY,
    "everything": EVERYTHING,
}
every_config = pytest.mark.parametrize("config", list(CONFIGS.values()), ids=list(CONFIGS))


@cache
def packages() -> Packages:
    """Return files that stand in for the packages, which other tests check."""
    folder = Path(tempfile.mkdtemp(prefix="transcoder-packages-"))
    for name in ("function.zip", "layer.zip"):
        with ZipFile(folder / name, "w") as archive:
            archive.writestr(name, name)
    (folder / "film.ts").write_bytes(b"G")
    return Packages(folder / "function.zip", folder / "layer.zip", folder / "film.ts")


def remove_packages() -> None:
    """Remove these files."""
    shutil.rmtree(packages().function.parent)
    packages.cache_clear()


@cache
def templates(config: Config) -> Mapping[str, Template]:
    """Return the templates for `config` by the names of their stacks; synthesis takes seconds."""
    app = App()
    add_stacks(app, config, packages())
    return {each.stack_name: Template.from_stack(each) for each in app.node.children if isinstance(each, Stack)}


def template(config: Config) -> Template:
    """Return the template of the stack itself."""
    return templates(config)[config.full_name]


def properties(config: Config, kind: str) -> list[dict[str, Any]]:
    """Return the properties of all resources of a kind."""
    return [resource["Properties"] for resource in template(config).find_resources(kind).values()]


def statements(config: Config, role: str = "TranscoderRole") -> list[dict[str, Any]]:
    """Return the statements of the policies of the role whose logical id begins like that."""
    policies = [policy for policy in properties(config, "AWS::IAM::Policy") if policy["Roles"][0]["Ref"].startswith(role)]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def function(config: Config) -> dict[str, Any]:
    """Return the properties of the function that makes videos."""
    (only,) = (each for each in properties(config, "AWS::Lambda::Function") if each["Handler"] == "transcoder.bootstrap.main")
    return only


def canary(config: Config) -> dict[str, Any]:
    """Return the properties of the canary."""
    (only,) = (each for each in properties(config, "AWS::Lambda::Function") if each["Handler"] == "transcoder.canary.handler")
    return only


def distribution(config: Config) -> dict[str, Any]:
    """Return the configuration of the distribution."""
    (only,) = properties(config, "AWS::CloudFront::Distribution")
    return dict(only["DistributionConfig"])
