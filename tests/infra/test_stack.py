"""The stack's CloudFormation template: its permissions, its distribution, and the findings of AWS's own rules."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from peers.synthesized import (
    CERTIFICATE,
    CONFIGS,
    DEFAULT,
    EVERYTHING,
    FULL,
    NO_BUCKET,
    WEB_ACL,
    distribution,
    every_config,
    function,
    packages,
    properties,
    remove_packages,
    statements,
    template,
    templates,
)

from aws_cdk import App, aws_s3  # isort: skip
from aws_cdk.assertions import Match  # isort: skip

from infra.app import add_stacks
from infra.config import Config
from infra.config_rules import check
from infra.distribution import PAGE_FILES
from transcoder.settings import Settings

SETTINGS = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
OPERATING = (Path(__file__).resolve().parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
CFNLINTRC = Path(__file__).resolve().parents[2] / "infra" / ".cfnlintrc.yaml"
with_bucket = pytest.mark.parametrize("config", [DEFAULT, FULL], ids=["defaults", "all options"])


@pytest.fixture(scope="module", autouse=True)
def packages_are_removed() -> Iterator[None]:
    yield
    remove_packages()


def in_bucket(config: Config, path: str = "") -> object:
    """Return the ARN of the bucket, or of the objects in a folder of it."""
    (bucket,) = template(config).find_resources("AWS::S3::Bucket")
    arn = {"Fn::GetAtt": [bucket, "Arn"]}
    return {"Fn::Join": ["", [arn, path]]} if path else arn


def text_of(value: Any) -> str:
    """Return a value of a template as text; what is known after the deployment only is what it refers to."""
    if isinstance(value, dict):
        ((kind, inner),) = value.items()
        return "".join(map(text_of, inner[1])) if kind == "Fn::Join" else f"<{'.'.join(inner) if isinstance(inner, list) else inner}>"
    return str(value)


@every_config
def test_cdk_nag_has_no_finding_that_is_not_acknowledged(config: Config, tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    add_stacks(app, config, packages())
    app.synth()  # raises if there is a finding
    assert json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"] == []


def test_a_finding_that_is_not_acknowledged_fails_the_synthesis(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    aws_s3.Bucket(add_stacks(app, DEFAULT, packages()), "Open")
    with pytest.raises(RuntimeError, match="AwsSolutions-S1"):
        app.synth()


def test_without_a_bucket_the_function_may_only_write_its_log() -> None:
    (log,) = template(NO_BUCKET).find_resources("AWS::Logs::LogGroup")
    assert len(properties(NO_BUCKET, "AWS::IAM::Role")) == 1
    assert statements(NO_BUCKET) == [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": [log, "Arn"]},
        }
    ]


def test_with_a_bucket_the_function_may_use_its_two_folders_as_well() -> None:
    assert statements(Config(canary_minutes=0))[1:] == [
        {
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"],
            "Resource": in_bucket(DEFAULT, "/files/*"),
        },
        {
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"],
            "Resource": in_bucket(DEFAULT, "/indexes/*"),
        },
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": in_bucket(DEFAULT)},
    ]
    assert len(statements(DEFAULT)) == len(statements(Config(canary_minutes=0))) + 1  # for the canary's film


@pytest.mark.parametrize(
    "config",
    [
        Config(canary_minutes=0, allowed_buckets=("some-videos",)),
        Config(canary_minutes=0, settings=("TRANSCODER_ALLOWED_BUCKETS=some-videos",)),
    ],
    ids=["key", "setting"],
)
def test_the_function_may_read_the_buckets_of_sources(config: Config) -> None:
    assert statements(config)[1] == {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::some-videos/*"]]},
    }
    assert function(config)["Environment"]["Variables"]["TRANSCODER_ALLOWED_BUCKETS"] == "some-videos"
    assert len(statements(config)) == len(statements(Config(canary_minutes=0))) + 1


KEYS_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keys-AbCdEf"
OWN = "arn:<AWS::Partition>:s3:::own-files"
FOLDERS = {
    ("s3:PutObject", f"{OWN}/files/*"),
    ("s3:GetObject", f"{OWN}/files/*"),
    ("s3:AbortMultipartUpload", f"{OWN}/files/*"),
    ("s3:PutObject", f"{OWN}/indexes/*"),
    ("s3:GetObject", f"{OWN}/indexes/*"),
    ("s3:DeleteObject", f"{OWN}/indexes/*"),
    ("s3:ListBucket", OWN),
}
RESOURCES = {
    "TRANSCODER_BUCKET": ("own-files", FOLDERS),
    "TRANSCODER_ALLOWED_BUCKETS": (
        "own-files,more.files",
        {("s3:GetObject", f"{OWN}/*"), ("s3:GetObject", "arn:<AWS::Partition>:s3:::more.files/*")},
    ),
    "TRANSCODER_SIGNING_SECRET_ARN": (KEYS_ARN, {("secretsmanager:GetSecretValue", KEYS_ARN)}),
}
"""The settings that name something in AWS, with a value and the rights that it brings."""


def naming(name: str) -> Config:
    """Return a configuration whose only setting names something in AWS."""
    return Config(bucket=False, settings=(f"{name}={RESOURCES[name][0]}",))


def rights(config: Config, role: str = "TranscoderRole") -> set[tuple[str, str]]:
    """Return the pairs of an action and a resource that a role may use."""
    pairs = set()
    for statement in statements(config, role):
        assert (statement["Effect"], set(statement)) == ("Allow", {"Effect", "Action", "Resource"})
        actions, resources = (each if isinstance(each, list) else [each] for each in (statement["Action"], statement["Resource"]))
        pairs |= {(action, text_of(resource)) for action in actions for resource in resources}
    return pairs


def test_the_settings_that_name_something_in_aws_are_these() -> None:
    listed = re.findall(r"^\| `(TRANSCODER_\w+)` \|[^|]*\|(.*)\|$", SETTINGS, re.MULTILINE)
    assert {name for name, meaning in listed if re.search(r"S3 bucket|\bARN\b", meaning)} == set(RESOURCES)
    assert len(listed) == len(Settings._fields)


@pytest.mark.parametrize("name", RESOURCES)
def test_a_setting_that_names_something_in_aws_brings_the_rights_on_exactly_that(name: str) -> None:
    without = Config(bucket=False)
    value, expected = RESOURCES[name]
    config = replace(without, settings=(f"{name}={value}",))
    check(config)
    assert rights(config) - rights(without) == expected
    assert rights(without) <= rights(config)
    # The canary signs links as well.
    assert rights(config, "CanaryRole") - rights(without, "CanaryRole") == (expected if "SECRET" in name else set())


@pytest.mark.parametrize("name", RESOURCES)
def test_cdk_nag_accepts_what_settings_name(name: str, tmp_path: Path) -> None:
    test_cdk_nag_has_no_finding_that_is_not_acknowledged(naming(name), tmp_path)


def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    """All templates at once: reading its rules takes cfn-lint longer than a template. It prints the path of what it finds."""
    paths = []
    for name, config in {**CONFIGS, **{name: naming(name) for name in RESOURCES}}.items():
        for stack, each in templates(config).items():
            paths.append(tmp_path / f"{name}, {stack}.json")
            paths[-1].write_text(json.dumps(each.to_json()), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--config-file", str(CFNLINTRC), "--", *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert (result.returncode, result.stdout) == (0, "")


def label(resource: str) -> str:
    """Return how the document calls what a permission is for."""
    forms = {
        r"<(Transcoder|Canary)Log\w+\.Arn>": "its log group",
        r".*-assets-.*/[0-9a-f]{64}\.ts": "the canary's film",
        r".*/files/\*": "`files/*` of the bucket",
        r".*/indexes/\*": "`indexes/*` of the bucket",
        rf"<Bucket\w+\.Arn>|{OWN}": "the bucket",
        r"arn:<AWS::Partition>:s3:::[^/]+/\*": "all objects of the buckets of sources",
        rf"<SigningKeysSecret\w+>|{KEYS_ARN}": "the secret with the keys",
    }
    return next(name for form, name in forms.items() if re.fullmatch(form, resource))


def test_the_document_lists_every_permission_and_no_other() -> None:
    section = OPERATING.split("### Permissions")[1].split("\n### ")[0]
    rows = re.findall(r"^\| (function|canary) \| (.*?) \| (.*?) \|", section, re.MULTILINE)
    listed = {(role, action, resource) for role, actions, resource in rows for action in re.findall(r"`([\w:]+)`", actions)}
    own = [naming(name) for name in RESOURCES]
    roles = {"function": "TranscoderRole", "canary": "CanaryRole"}
    granted = {
        (name, action, label(resource))
        for config in (*CONFIGS.values(), *own)
        for name, role in roles.items()
        for action, resource in rights(config, role)
    }
    assert granted == listed


def test_every_permission_of_a_service_is_bound_to_one_thing_of_the_stack() -> None:
    for config in CONFIGS.values():
        for permission in properties(config, "AWS::Lambda::Permission"):
            assert re.search(r"(distribution/|:execute-api:.*)<\w+>|<\w+\.Arn>", text_of(permission["SourceArn"]))


@with_bucket
def test_the_bucket_is_private_encrypted_and_deleted_with_the_stack(config: Config) -> None:
    (bucket,) = template(config).find_resources("AWS::S3::Bucket").values()
    assert bucket["Properties"]["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["Properties"]["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    encryption = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    assert bucket["DeletionPolicy"] == "Delete"


@with_bucket
def test_the_bucket_deletes_files_indexes_and_the_parts_of_unfinished_uploads(config: Config) -> None:
    (bucket,) = properties(config, "AWS::S3::Bucket")
    assert bucket["LifecycleConfiguration"]["Rules"] == [
        {"Id": "unfinished-uploads", "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
        {"Id": "files", "Status": "Enabled", "Prefix": "files/", "ExpirationInDays": config.file_days},
        {"Id": "indexes", "Status": "Enabled", "Prefix": "indexes/", "ExpirationInDays": 7},
    ]


def bucket_policy(config: Config) -> list[dict[str, Any]]:
    (policy,) = properties(config, "AWS::S3::BucketPolicy")
    return list(policy["PolicyDocument"]["Statement"])


def test_only_this_distribution_may_read_files_of_the_bucket_and_only_with_tls() -> None:
    (own,) = template(DEFAULT).find_resources("AWS::CloudFront::Distribution")
    tls, read = bucket_policy(DEFAULT)
    assert (tls["Effect"], tls["Action"], tls["Condition"]) == ("Deny", "s3:*", {"Bool": {"aws:SecureTransport": "false"}})
    source = read.pop("Condition")["StringEquals"]["AWS:SourceArn"]["Fn::Join"][1]
    assert source[-2:] == [":distribution/", {"Ref": own}]
    assert read == {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": in_bucket(DEFAULT, "/files/*"),
    }


def test_finished_files_are_cached_by_their_path_alone() -> None:
    (files,) = (each for each in distribution(DEFAULT)["CacheBehaviors"] if each["PathPattern"] == "/files/*")
    _, origin = distribution(DEFAULT)["Origins"]
    assert (files["PathPattern"], files["TargetOriginId"]) == ("/files/*", origin["Id"])
    assert files["CachePolicyId"] == "b2884449-e4de-46a7-ac36-70bc7f1ddd6d"  # CachingOptimizedForUncompressedObjects
    assert (files["AllowedMethods"], files["Compress"], files["ViewerProtocolPolicy"]) == (["GET", "HEAD"], False, "redirect-to-https")
    assert not {"OriginRequestPolicyId", "TrustedSigners", "TrustedKeyGroups"} & set(files)
    (bucket,) = template(DEFAULT).find_resources("AWS::S3::Bucket")
    assert origin["DomainName"] == {"Fn::GetAtt": [bucket, "RegionalDomainName"]}
    (access,) = template(DEFAULT).find_resources(
        "AWS::CloudFront::OriginAccessControl", {"Properties": {"OriginAccessControlConfig": {"OriginAccessControlOriginType": "s3"}}}
    )
    assert origin["OriginAccessControlId"] == {"Fn::GetAtt": [access, "Id"]}
    assert origin["S3OriginConfig"] == {"OriginAccessIdentity": ""}


def test_finished_files_have_the_headers_that_the_function_sends() -> None:
    (policy,) = properties(DEFAULT, "AWS::CloudFront::ResponseHeadersPolicy")
    (url,) = properties(DEFAULT, "AWS::Lambda::Url")
    headers = policy["ResponseHeadersPolicyConfig"]
    assert headers["SecurityHeadersConfig"] == {"ContentTypeOptions": {"Override": True}}
    for ours, theirs in (("AllowOrigins", "AllowOrigins"), ("AllowMethods", "AllowMethods"), ("ExposeHeaders", "ExposeHeaders")):
        assert headers["CorsConfig"][f"AccessControl{ours}"]["Items"] == url["Cors"][theirs]
    assert headers["CorsConfig"]["AccessControlAllowCredentials"] is False


def test_the_function_sends_its_callers_to_the_path_of_the_distribution() -> None:
    (bucket,) = template(DEFAULT).find_resources("AWS::S3::Bucket")
    variables = function(DEFAULT)["Environment"]["Variables"]
    assert (variables["TRANSCODER_BUCKET"], variables["TRANSCODER_FILES_URL"]) == ({"Ref": bucket}, "/")


@pytest.mark.parametrize(
    "config", [FULL, Config(settings=("TRANSCODER_SIGNING_KEYS=a key of sixteen or more",))], ids=["signing", "keys in the settings"]
)
def test_with_signed_links_the_distribution_does_not_send_finished_files(config: Config) -> None:
    assert [each["PathPattern"] for each in distribution(config)["CacheBehaviors"]] == ["/info*", *PAGE_FILES]
    assert len(distribution(config)["Origins"]) == 1
    assert [statement["Effect"] for statement in bucket_policy(config)] == ["Deny"]
    assert "TRANSCODER_FILES_URL" not in function(config)["Environment"]["Variables"]
    assert "TRANSCODER_BUCKET" in function(config)["Environment"]["Variables"]
    (bucket,) = properties(config, "AWS::S3::Bucket")
    (url,) = properties(config, "AWS::Lambda::Url")
    (rule,) = bucket["CorsConfiguration"]["CorsRules"]
    assert (rule["AllowedMethods"], rule["ExposedHeaders"]) == (url["Cors"]["AllowMethods"], url["Cors"]["ExposeHeaders"])


def test_without_a_bucket_there_is_none() -> None:
    for kind in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::CloudFront::ResponseHeadersPolicy"):
        template(NO_BUCKET).resource_count_is(kind, 0)
    assert len(distribution(NO_BUCKET)["Origins"]) == 1
    assert not {"TRANSCODER_BUCKET", "TRANSCODER_FILES_URL"} & set(function(NO_BUCKET)["Environment"]["Variables"])


def test_with_signing_the_function_may_read_its_keys_as_well() -> None:
    (secret,) = template(FULL).find_resources("AWS::SecretsManager::Secret")
    granted = [statement for statement in statements(FULL) if statement["Action"] == "secretsmanager:GetSecretValue"]
    assert granted == [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": secret}}]
    assert [statement["Action"] for statement in statements(FULL)].count("secretsmanager:GetSecretValue") == 1
    assert function(FULL)["Environment"]["Variables"]["TRANSCODER_SIGNING_SECRET_ARN"] == {"Ref": secret}


def test_without_signing_there_is_no_secret() -> None:
    template(DEFAULT).resource_count_is("AWS::SecretsManager::Secret", 0)
    assert "TRANSCODER_SIGNING_SECRET_ARN" not in function(DEFAULT)["Environment"]["Variables"]


@every_config
def test_no_permission_has_a_wildcard_but_for_the_objects_of_a_folder(config: Config) -> None:
    texts = re.findall(r'"([^"]*\*[^"]*)"', json.dumps(statements(config)))
    assert set(texts) <= {"/files/*", "/indexes/*", ":s3:::some-videos/*", ":s3:::more.videos/*"}
    own = template(config).find_resources("AWS::IAM::Role")
    assert len(own) == 1 + bool(config.canary_minutes)
    for role in (each["Properties"] for each in own.values()):
        assert not {"ManagedPolicyArns", "Policies"} & set(role)


@pytest.mark.parametrize("config", [DEFAULT, FULL, EVERYTHING], ids=["defaults", "all options", "everything"])
def test_only_this_distribution_may_invoke_the_function_url(config: Config) -> None:
    (own,) = template(config).find_resources("AWS::CloudFront::Distribution")
    permissions = [each for each in properties(config, "AWS::Lambda::Permission") if each["Principal"] != "events.amazonaws.com"]
    assert [(entry["Principal"], entry["Action"], entry.get("InvokedViaFunctionUrl", False)) for entry in permissions] == [
        ("cloudfront.amazonaws.com", "lambda:InvokeFunctionUrl", False),
        ("cloudfront.amazonaws.com", "lambda:InvokeFunction", True),
    ]
    assert all({"Ref": own} in entry["SourceArn"]["Fn::Join"][1] for entry in permissions)
    template(config).has_resource_properties("AWS::Lambda::Url", {"AuthType": "AWS_IAM", "InvokeMode": "RESPONSE_STREAM"})
    template(config).has_resource_properties(
        "AWS::CloudFront::OriginAccessControl",
        {"OriginAccessControlConfig": Match.object_like({"OriginAccessControlOriginType": "lambda", "SigningBehavior": "always"})},
    )


def test_cloudfront_does_not_retry_and_has_a_long_timeout() -> None:
    origin = distribution(DEFAULT)["Origins"][0]
    assert origin["ConnectionAttempts"] == 1
    assert origin["CustomOriginConfig"]["OriginReadTimeout"] == 60
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"


def test_videos_are_not_cached_and_every_query_reaches_the_function() -> None:
    default = distribution(DEFAULT)["DefaultCacheBehavior"]
    assert default["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # CachingDisabled
    assert default["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # AllViewerExceptHostHeader
    assert default["AllowedMethods"] == ["GET", "HEAD", "OPTIONS"]
    assert default["ViewerProtocolPolicy"] == "redirect-to-https"
    assert default["Compress"] is False


def test_failures_are_not_cached_since_one_would_be_sent_to_everybody() -> None:
    kept = {each["ErrorCode"]: each["ErrorCachingMinTTL"] for each in distribution(DEFAULT)["CustomErrorResponses"]}
    assert kept == dict.fromkeys((404, 414, 500, 501, 502, 503, 504), 0)


def test_info_is_cached_briefly_with_the_whole_query_as_key() -> None:
    info = distribution(DEFAULT)["CacheBehaviors"][0]
    (policy,) = properties(DEFAULT, "AWS::CloudFront::CachePolicy")
    cache = policy["CachePolicyConfig"]
    assert info["PathPattern"] == "/info*"
    assert (cache["MinTTL"], cache["DefaultTTL"], cache["MaxTTL"]) == (0, 0, 60)
    assert cache["ParametersInCacheKeyAndForwardedToOrigin"]["QueryStringsConfig"] == {"QueryStringBehavior": "all"}


def test_the_files_of_the_page_are_cached_by_their_paths() -> None:
    behaviors = [each for each in distribution(DEFAULT)["CacheBehaviors"] if each["PathPattern"] in PAGE_FILES]
    assert len(behaviors) == len(PAGE_FILES)
    assert {each["CachePolicyId"] for each in behaviors} == {
        "b2884449-e4de-46a7-ac36-70bc7f1ddd6d"
    }  # CachingOptimizedForUncompressedObjects
    assert all("OriginRequestPolicyId" not in each for each in behaviors)


def test_domain_name_certificate_and_web_acl_are_used() -> None:
    full = distribution(FULL)
    assert full["Aliases"] == ["videos.example"]
    assert full["ViewerCertificate"] == {
        "AcmCertificateArn": CERTIFICATE,
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }
    assert full["WebACLId"] == WEB_ACL


@every_config
def test_the_function_is_as_configured(config: Config) -> None:
    resource = function(config)
    assert resource["Runtime"] == "python3.13"
    assert resource["Architectures"] == [config.arch]
    assert resource["MemorySize"] == config.memory_mib
    assert resource["Timeout"] == 900
    assert resource["EphemeralStorage"] == {"Size": 512}
    assert resource.get("ReservedConcurrentExecutions", 0) == config.concurrency
    assert resource["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/var/task/transcoder-wrapper"
    template(config).has_resource_properties("AWS::Lambda::LayerVersion", {"CompatibleArchitectures": [config.arch]})
    assert {each["RetentionInDays"] for each in properties(config, "AWS::Logs::LogGroup")} == {config.log_days}


@every_config
def test_the_functions_environment_is_valid(config: Config) -> None:
    environ = {name: text_of(value) for name, value in function(config)["Environment"]["Variables"].items()}
    settings = Settings.from_env(environ)
    assert settings.ffmpeg == "/opt/bin/ffmpeg"
    assert settings.allowed_hosts == config.allowed_hosts
    assert bool(settings.signing_secret_arn) == config.signing
    assert settings.allowed_buckets[: len(config.allowed_buckets)] == config.allowed_buckets
    assert len(settings.allowed_buckets) == len(config.allowed_buckets) + bool(config.canary_minutes)
    assert (bool(settings.bucket), bool(settings.files_url)) == (config.bucket, config.publishes_files)
    set_here = ("ffmpeg", "allowed_hosts", "allowed_buckets", "signing_secret_arn", "bucket", "files_url")
    own = dict(setting.split("=") for setting in config.settings)
    assert settings._replace(**{name: getattr(Settings(), name) for name in set_here}) == Settings.from_env(own)


def test_there_are_alarms_for_errors_throttles_duration_and_failures() -> None:
    template(DEFAULT).resource_count_is("AWS::CloudWatch::Alarm", 5)  # with that of the canary
    for metric in ("Errors", "Throttles", "Duration"):
        template(DEFAULT).has_resource_properties("AWS::CloudWatch::Alarm", {"Namespace": "AWS/Lambda", "MetricName": metric})
    outcomes = json.dumps(properties(DEFAULT, "AWS::CloudWatch::Alarm"))
    assert all(f'"{outcome}"' in outcomes for outcome in ("transcode-failed", "internal-error", "http-500"))


def test_alarms_go_to_the_configured_topic() -> None:
    assert [alarm["AlarmActions"] for alarm in properties(FULL, "AWS::CloudWatch::Alarm")] == [[FULL.alarm_topic_arn]] * 5
    assert [alarm["OKActions"] for alarm in properties(FULL, "AWS::CloudWatch::Alarm")] == [[FULL.alarm_topic_arn]] * 5
    assert not [alarm for alarm in properties(DEFAULT, "AWS::CloudWatch::Alarm") if "AlarmActions" in alarm]
