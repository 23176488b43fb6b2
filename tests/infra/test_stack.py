"""The stack as CloudFormation gets it: what it grants, what it lets through, and what AWS's own rules find."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import pytest

from infra.config import Config
from transcoder.settings import Settings

aws_cdk = pytest.importorskip("aws_cdk", reason="the stack is tested where `make infra` has run")
if shutil.which("node") is None:
    pytest.skip("the AWS CDK needs Node.js", allow_module_level=True)

from aws_cdk import App, aws_s3  # noqa: E402
from aws_cdk.assertions import Match, Template  # noqa: E402

from infra.app import describe  # noqa: E402
from infra.function import Packages  # noqa: E402

CFNLINTRC = Path(__file__).resolve().parents[2] / "infra" / ".cfnlintrc.yaml"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/name/12345678-1234-1234-1234-123456789012"
PLAIN = Config()
FULL = Config(
    arch="x86_64",
    signing=True,
    allowed_hosts=("a.example", "b.example"),
    domain_name="films.example",
    certificate_arn=CERTIFICATE,
    web_acl_arn=WEB_ACL,
    alarm_topic_arn="arn:aws:sns:eu-west-1:123456789012:alarms",
)
both = pytest.mark.parametrize("config", [PLAIN, FULL], ids=["as it comes", "with everything chosen"])


@cache
def folder() -> TemporaryDirectory[str]:
    """Where zips stand that look like packages; what is in them is shown elsewhere."""
    made = TemporaryDirectory()
    for name in ("function.zip", "layer.zip"):
        with ZipFile(Path(made.name) / name, "w") as archive:
            archive.writestr(name, name)
    return made


@pytest.fixture(scope="module", autouse=True)
def no_folder_left() -> Iterator[None]:
    yield
    folder().cleanup()


def packages() -> Packages:
    return Packages(Path(folder().name) / "function.zip", Path(folder().name) / "layer.zip")


@cache
def template(config: Config) -> Template:
    """The template of `config`; making one takes seconds."""
    # Without nag: that is a test of its own.
    from infra.stack import TranscoderStack  # noqa: PLC0415

    return Template.from_stack(TranscoderStack(App(), config=config, packages=packages()))


def properties(config: Config, kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in template(config).find_resources(kind).values()]


def statements(config: Config) -> list[dict[str, Any]]:
    return [statement for policy in properties(config, "AWS::IAM::Policy") for statement in policy["PolicyDocument"]["Statement"]]


def function(config: Config) -> dict[str, Any]:
    (only,) = properties(config, "AWS::Lambda::Function")
    return only


def distribution(config: Config) -> dict[str, Any]:
    (only,) = properties(config, "AWS::CloudFront::Distribution")
    return dict(only["DistributionConfig"])


@both
def test_the_rules_of_aws_find_nothing_that_is_not_acknowledged(config: Config, tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    describe(app, config, packages())
    app.synth()  # raises for a finding
    assert json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"] == []


def test_a_finding_that_is_not_acknowledged_fails_the_synthesis(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    aws_s3.Bucket(describe(app, PLAIN, packages()), "Open")
    with pytest.raises(RuntimeError, match="AwsSolutions-S1"):
        app.synth()


@both
def test_cfn_lint_finds_nothing(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    path.write_text(json.dumps(template(config).to_json()), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--config-file", str(CFNLINTRC), "--", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, "")


def test_the_function_may_write_its_log_and_nothing_else() -> None:
    (log,) = template(PLAIN).find_resources("AWS::Logs::LogGroup")
    assert statements(PLAIN) == [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": [log, "Arn"]},
        }
    ]


def test_with_signing_it_may_read_its_keys_as_well() -> None:
    (secret,) = template(FULL).find_resources("AWS::SecretsManager::Secret")
    granted = [statement for statement in statements(FULL) if statement["Action"] == "secretsmanager:GetSecretValue"]
    assert granted == [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": secret}}]
    assert len(statements(FULL)) == 2
    assert function(FULL)["Environment"]["Variables"]["TRANSCODER_SIGNING_SECRET_ARN"] == {"Ref": secret}


def test_without_signing_there_is_no_secret() -> None:
    template(PLAIN).resource_count_is("AWS::SecretsManager::Secret", 0)
    assert "TRANSCODER_SIGNING_SECRET_ARN" not in function(PLAIN)["Environment"]["Variables"]


@both
def test_nothing_is_granted_by_a_star(config: Config) -> None:
    assert "*" not in json.dumps(statements(config))
    for role in properties(config, "AWS::IAM::Role"):
        assert not {"ManagedPolicyArns", "Policies"} & set(role)


@both
def test_nobody_but_this_distribution_may_call_the_url(config: Config) -> None:
    (own,) = template(config).find_resources("AWS::CloudFront::Distribution")
    permissions = properties(config, "AWS::Lambda::Permission")
    assert [(each["Principal"], each["Action"], each.get("InvokedViaFunctionUrl", False)) for each in permissions] == [
        ("cloudfront.amazonaws.com", "lambda:InvokeFunctionUrl", False),
        ("cloudfront.amazonaws.com", "lambda:InvokeFunction", True),
    ]
    assert all({"Ref": own} in each["SourceArn"]["Fn::Join"][1] for each in permissions)
    template(config).has_resource_properties("AWS::Lambda::Url", {"AuthType": "AWS_IAM", "InvokeMode": "RESPONSE_STREAM"})
    template(config).has_resource_properties(
        "AWS::CloudFront::OriginAccessControl",
        {"OriginAccessControlConfig": Match.object_like({"OriginAccessControlOriginType": "lambda", "SigningBehavior": "always"})},
    )


def test_cloudfront_asks_once_and_waits_long() -> None:
    (origin,) = distribution(PLAIN)["Origins"]
    assert origin["ConnectionAttempts"] == 1
    assert origin["CustomOriginConfig"]["OriginReadTimeout"] == 120
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"


def test_films_are_not_kept_and_every_query_reaches_the_function() -> None:
    default = distribution(PLAIN)["DefaultCacheBehavior"]
    assert default["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # CachingDisabled
    assert default["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # AllViewerExceptHostHeader
    assert default["AllowedMethods"] == ["GET", "HEAD"]
    assert default["ViewerProtocolPolicy"] == "redirect-to-https"
    assert default["Compress"] is False


def test_what_info_answers_is_kept_briefly_and_by_the_whole_query() -> None:
    (info,) = distribution(PLAIN)["CacheBehaviors"]
    (policy,) = properties(PLAIN, "AWS::CloudFront::CachePolicy")
    kept = policy["CachePolicyConfig"]
    assert info["PathPattern"] == "/info*"
    assert (kept["MinTTL"], kept["DefaultTTL"], kept["MaxTTL"]) == (0, 0, 60)
    assert kept["ParametersInCacheKeyAndForwardedToOrigin"]["QueryStringsConfig"] == {"QueryStringBehavior": "all"}


def test_a_name_and_an_acl_of_ones_own_are_used() -> None:
    chosen = distribution(FULL)
    assert chosen["Aliases"] == ["films.example"]
    assert chosen["ViewerCertificate"] == {
        "AcmCertificateArn": CERTIFICATE,
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }
    assert chosen["WebACLId"] == WEB_ACL


@both
def test_the_function_is_as_it_was_chosen(config: Config) -> None:
    made = function(config)
    assert made["Runtime"] == "python3.13"
    assert made["Architectures"] == [config.arch]
    assert made["MemorySize"] == config.memory_mib
    assert made["Timeout"] == 900
    assert made["EphemeralStorage"] == {"Size": 512}
    assert made["ReservedConcurrentExecutions"] == 10
    assert made["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/var/task/transcoder-wrapper"
    template(config).has_resource_properties("AWS::Lambda::LayerVersion", {"CompatibleArchitectures": [config.arch]})
    template(config).has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 30})


@both
def test_the_function_understands_what_its_environment_says(config: Config) -> None:
    environ = {name: str(value) for name, value in function(config)["Environment"]["Variables"].items()}
    settings = Settings.from_env(environ)
    assert settings.ffmpeg == "/opt/bin/ffmpeg"
    assert settings.allowed_hosts == config.allowed_hosts
    assert bool(settings.signing_secret_arn) == config.signing
    assert settings == replace(
        Settings(), ffmpeg=settings.ffmpeg, allowed_hosts=settings.allowed_hosts, signing_secret_arn=settings.signing_secret_arn
    )


def test_crashes_refusals_slowness_and_failures_raise_an_alarm() -> None:
    template(PLAIN).resource_count_is("AWS::CloudWatch::Alarm", 4)
    for metric in ("Errors", "Throttles", "Duration"):
        template(PLAIN).has_resource_properties("AWS::CloudWatch::Alarm", {"Namespace": "AWS/Lambda", "MetricName": metric})
    outcomes = json.dumps(properties(PLAIN, "AWS::CloudWatch::Alarm"))
    assert all(f'"{outcome}"' in outcomes for outcome in ("transcode-failed", "internal-error", "http-500"))


def test_alarms_go_to_the_topic_that_was_chosen() -> None:
    assert [alarm["AlarmActions"] for alarm in properties(FULL, "AWS::CloudWatch::Alarm")] == [[FULL.alarm_topic_arn]] * 4
    assert not [alarm for alarm in properties(PLAIN, "AWS::CloudWatch::Alarm") if "AlarmActions" in alarm]
