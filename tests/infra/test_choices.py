"""What a configuration can choose: another front, a web ACL, a domain name, SnapStart, stages and tags; and what a new account needs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from peers.synthesized import (
    API_GATEWAY,
    DEFAULT,
    EVERYTHING,
    FULL,
    NEW_ACCOUNT,
    WEB_ACL,
    distribution,
    every_config,
    function,
    packages,
    properties,
    remove_packages,
    template,
    templates,
)

from aws_cdk import App  # isort: skip

from infra.app import add_stacks
from infra.config import Config, ConfigError
from infra.context import read_config
from infra.global_names import needed_stacks
from infra.packages.function import ROOT
from transcoder.core.answer.cors import Cors, cors_headers
from transcoder.emulator.rest_api_event import METHODS

IN_US_EAST_1 = replace(EVERYTHING, region="us-east-1", alarm_topic_arn="arn:aws:sns:us-east-1:123456789012:alarms")


@pytest.fixture(scope="module", autouse=True)
def packages_are_removed() -> Iterator[None]:
    yield
    remove_packages()


@pytest.mark.parametrize("config", [DEFAULT, NEW_ACCOUNT], ids=["defaults", "new account"])
def test_a_new_account_can_deploy_it(config: Config) -> None:
    for each in properties(config, "AWS::Lambda::Function"):
        assert not {"ReservedConcurrentExecutions", "ProvisionedConcurrencyConfig"} & set(each)
        assert each["MemorySize"] <= 3008
        assert each["Timeout"] <= 900
    assert not template(config).find_resources("AWS::Lambda::Alias")


def test_concurrency_is_reserved_on_request() -> None:
    assert function(EVERYTHING)["ReservedConcurrentExecutions"] == EVERYTHING.concurrency == 50


# A REST API in front


def methods() -> list[dict[str, Any]]:
    return [each for each in properties(API_GATEWAY, "AWS::ApiGateway::Method") if each["HttpMethod"] != "OPTIONS"]


def test_a_rest_api_streams_every_get_and_head() -> None:
    assert sorted(each["HttpMethod"] for each in methods()) == ["GET", "GET", "HEAD", "HEAD"]
    for each in methods():
        integration = each["Integration"]
        assert (integration["Type"], integration["ResponseTransferMode"]) == ("AWS_PROXY", "STREAM")
        assert integration["TimeoutInMillis"] == 900_000
        uri = json.dumps(integration["Uri"])
        assert "/2021-11-15/functions/" in uri
        assert "/response-streaming-invocations" in uri
    assert not template(API_GATEWAY).find_resources("AWS::CloudFront::Distribution")
    assert not template(API_GATEWAY).find_resources("AWS::Lambda::Url")


def test_a_rest_api_answers_preflight_requests_and_the_function_the_rest() -> None:
    preflight = [each for each in properties(API_GATEWAY, "AWS::ApiGateway::Method") if each["HttpMethod"] == "OPTIONS"]
    assert len(preflight) == 2
    for each in preflight:
        (response,) = each["Integration"]["IntegrationResponses"]
        parameters = {name.rpartition(".")[2]: value.strip("'") for name, value in response["ResponseParameters"].items()}
        # The emulated REST API answers with these, and with the same status.
        assert {name.lower(): value for name, value in parameters.items()} == dict(cors_headers(Cors(), origin="*", preflight=True))
        assert (each["Integration"]["Type"], response["StatusCode"]) == ("MOCK", "204")


def test_a_rest_api_has_the_methods_of_the_emulated_one_and_no_more() -> None:
    methods_of: dict[str, set[str]] = {}
    for each in properties(API_GATEWAY, "AWS::ApiGateway::Method"):
        methods_of.setdefault(json.dumps(each["ResourceId"]), set()).add(each["HttpMethod"])
    assert list(methods_of.values()) == [{*METHODS, "OPTIONS"}] * 2
    (below,) = properties(API_GATEWAY, "AWS::ApiGateway::Resource")
    assert below["PathPart"] == "{proxy+}"


def test_only_this_rest_api_may_invoke_the_function() -> None:
    (own,) = template(API_GATEWAY).find_resources("AWS::ApiGateway::RestApi")
    permissions = [each for each in properties(API_GATEWAY, "AWS::Lambda::Permission") if each["Principal"] != "events.amazonaws.com"]
    assert {(each["Principal"], each["Action"]) for each in permissions} == {("apigateway.amazonaws.com", "lambda:InvokeFunction")}
    assert len(permissions) == 4
    assert all({"Ref": own} in each["SourceArn"]["Fn::Join"][1] for each in permissions)
    assert not any("test-invoke-stage" in json.dumps(each) for each in permissions)


def test_a_rest_api_is_regional_throttled_and_has_no_role_for_the_account() -> None:
    (api,) = properties(API_GATEWAY, "AWS::ApiGateway::RestApi")
    assert api["EndpointConfiguration"]["Types"] == ["REGIONAL"]
    assert api["DisableExecuteApiEndpoint"] is True  # there is a domain name
    (stage,) = properties(API_GATEWAY, "AWS::ApiGateway::Stage")
    (settings,) = stage["MethodSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (50, 100)
    assert not template(API_GATEWAY).find_resources("AWS::ApiGateway::Account")


def test_a_rest_api_sends_finished_files_by_presigned_urls() -> None:
    variables = function(API_GATEWAY)["Environment"]["Variables"]
    assert "TRANSCODER_BUCKET" in variables
    assert "TRANSCODER_FILES_URL" not in variables
    plain = replace(API_GATEWAY, domain_name="", hosted_zone="", rate_limit=0)
    assert function(plain)["Environment"]["Variables"]["TRANSCODER_PAGE"] == "0"
    assert "TRANSCODER_PAGE" not in variables


def test_a_rest_api_has_its_domain_name_and_web_acl_in_its_own_region() -> None:
    assert list(templates(API_GATEWAY)) == ["Transcoder"]
    (acl,) = properties(API_GATEWAY, "AWS::WAFv2::WebACL")
    assert acl["Scope"] == "REGIONAL"
    (association,) = properties(API_GATEWAY, "AWS::WAFv2::WebACLAssociation")
    (acl_id,) = template(API_GATEWAY).find_resources("AWS::WAFv2::WebACL")
    assert association["WebACLArn"] == {"Fn::GetAtt": [acl_id, "Arn"]}
    (domain,) = properties(API_GATEWAY, "AWS::ApiGateway::DomainName")
    assert (domain["DomainName"], domain["SecurityPolicy"]) == ("videos.example.com", "TLS_1_2")
    assert records(API_GATEWAY) == {("videos.example.com.", "A")}  # its domain name has IPv4 alone


# A web ACL and a domain name


def records(config: Config) -> set[tuple[str, str]]:
    found = properties(config, "AWS::Route53::RecordSet")
    assert all(each["HostedZoneId"] == config.hosted_zone and "AliasTarget" in each for each in found)
    return {(each["Name"], each["Type"]) for each in found}


def rate_limit(acl: dict[str, Any]) -> dict[str, Any]:
    (rule,) = acl["Rules"]
    assert rule["Action"] == {"Block": {}}
    assert acl["DefaultAction"] == {"Allow": {}}
    return dict(rule["Statement"]["RateBasedStatement"])


def test_in_us_east_1_all_is_in_one_stack() -> None:
    assert list(templates(IN_US_EAST_1)) == ["Transcoder-prod"]
    (acl,) = properties(IN_US_EAST_1, "AWS::WAFv2::WebACL")
    assert acl["Scope"] == "CLOUDFRONT"
    assert rate_limit(acl) == {"Limit": 600, "AggregateKeyType": "IP", "EvaluationWindowSec": 300}
    (acl_id,) = template(IN_US_EAST_1).find_resources("AWS::WAFv2::WebACL")
    assert distribution(IN_US_EAST_1)["WebACLId"] == {"Fn::GetAtt": [acl_id, "Arn"]}
    (certificate,) = properties(IN_US_EAST_1, "AWS::CertificateManager::Certificate")
    assert certificate["ValidationMethod"] == "DNS"
    assert certificate["DomainValidationOptions"] == [{"DomainName": "videos.example.com", "HostedZoneId": "Z0123456789ABCDEFGHIJ"}]
    assert distribution(IN_US_EAST_1)["Aliases"] == ["videos.example.com"]
    assert records(IN_US_EAST_1) == {("videos.example.com.", "A"), ("videos.example.com.", "AAAA")}
    # Nothing of the CDK's for other regions.
    assert not [kind for kind in kinds(IN_US_EAST_1) if kind.startswith("Custom::")]


def kinds(config: Config, stack: str = "") -> set[str]:
    return {str(each["Type"]) for each in templates(config)[stack or config.full_name].to_json()["Resources"].values()}


def test_elsewhere_what_cloudfront_needs_is_in_stacks_in_us_east_1() -> None:
    certificate, web_acl, traffic = needed_stacks(EVERYTHING, "eu-west-1")
    assert list(templates(EVERYTHING)) == [certificate, web_acl, "Transcoder-prod", traffic]
    assert kinds(EVERYTHING, certificate) == {"AWS::CertificateManager::Certificate"}
    assert kinds(EVERYTHING, web_acl) == {"AWS::WAFv2::WebACL"}
    assert {"AWS::CloudWatch::Alarm", "AWS::SNS::Topic"} <= kinds(EVERYTHING, traffic)
    assert not {"AWS::WAFv2::WebACL", "AWS::CertificateManager::Certificate"} & kinds(EVERYTHING)
    assert "AWS::Route53::RecordSet" in kinds(EVERYTHING)
    # The alarm in us-east-1 cannot notify a topic in another region.
    (alarm,) = templates(EVERYTHING)["Transcoder-prod-eu-west-1-Traffic"].find_resources("AWS::CloudWatch::Alarm").values()
    (topic,) = templates(EVERYTHING)["Transcoder-prod-eu-west-1-Traffic"].find_resources("AWS::SNS::Topic")
    assert alarm["Properties"]["AlarmActions"] == [{"Ref": topic}]
    assert all(len(each["AlarmActions"]) == 2 for each in properties(EVERYTHING, "AWS::CloudWatch::Alarm"))


def references(value: object) -> list[dict[str, str]]:
    """Return the references to outputs of other stacks in a template."""
    if isinstance(value, dict):
        return [value["Fn::GetStackOutput"]] if "Fn::GetStackOutput" in value else references(list(value.values()))
    return [found for inner in value for found in references(inner)] if isinstance(value, list) else []


def test_values_go_from_stack_to_stack_as_outputs_that_are_there() -> None:
    regions = {name: "eu-west-1" if name == "Transcoder-prod" else "us-east-1" for name in templates(EVERYTHING)}
    found = [(name, each) for name, made in templates(EVERYTHING).items() for each in references(made.to_json())]
    assert len(found) == 3
    for name, reference in found:
        assert name != reference["StackName"]
        assert reference["Region"] == regions[reference["StackName"]]
        (value,) = templates(EVERYTHING)[reference["StackName"]].find_outputs(reference["OutputName"]).values()
        assert value["Value"]


def test_no_function_role_or_parameter_passes_values_on() -> None:
    for name, made in templates(EVERYTHING).items():
        assert not [kind for kind in kinds(EVERYTHING, name) if kind.startswith(("Custom::", "AWS::SSM::"))]
        assert len(made.find_resources("AWS::Lambda::Function")) == len(made.find_resources("AWS::IAM::Role")) <= 2


def test_a_stack_is_deployed_after_those_whose_values_it_reads(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    add_stacks(app, EVERYTHING, packages())
    certificate, web_acl, traffic = needed_stacks(EVERYTHING, "eu-west-1")
    app.synth()
    artifacts = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]
    assert {certificate, web_acl} <= set(artifacts["Transcoder-prod"]["dependencies"])
    assert "Transcoder-prod" in artifacts[traffic]["dependencies"]


def certificate_reference(config: Config) -> dict[str, str]:
    return dict(distribution(config)["ViewerCertificate"]["AcmCertificateArn"]["Fn::GetStackOutput"])


@pytest.mark.parametrize(
    "changes", [{"domain_name": "other.example.com"}, {"hosted_zone": "Z9"}, {"domain_name": "b.example.net", "hosted_zone": "Z9"}], ids=str
)
def test_another_certificate_is_in_another_stack_so_that_the_distribution_can_change_from_one_to_the_other(changes: dict[str, Any]) -> None:
    before, after = EVERYTHING, replace(EVERYTHING, **changes)
    (old,), (new,) = (set(templates(each)) - set(templates(other)) for each, other in ((before, after), (after, before)))
    # The new one is made beside the old one; the distribution's template changes, so that it is updated; and the old one is left for then.
    assert (certificate_reference(before)["StackName"], certificate_reference(after)["StackName"]) == (old, new)
    assert old not in needed_stacks(after, "eu-west-1")
    (made,) = templates(after)[new].find_resources("AWS::CertificateManager::Certificate").values()
    assert made["Properties"]["DomainName"] == after.domain_name


def test_nothing_else_replaces_a_certificate_or_a_web_acl() -> None:
    """The properties whose change replaces them are the same whatever else changes: ACM and WAF, CloudFormation template reference."""
    certificate, web_acl, _ = needed_stacks(EVERYTHING, "eu-west-1")
    other = replace(EVERYTHING, rate_limit=9000, tags=("a=b",), traffic_alarm_gb=0, signing=False, memory_mib=512)
    for name, kind, changeable in (
        (certificate, "AWS::CertificateManager::Certificate", {"Tags"}),
        (web_acl, "AWS::WAFv2::WebACL", {"Tags", "Rules"}),
    ):
        before, after = (templates(each)[name].find_resources(kind) for each in (EVERYTHING, other))
        assert set(before) == set(after)
        for logical_id, resource in before.items():
            theirs = after[logical_id]["Properties"]
            assert all(theirs[key] == value for key, value in resource["Properties"].items() if key not in changeable)


# Names that are there once in an account

GLOBAL = {
    "AWS::CloudFront::CachePolicy",
    "AWS::CloudFront::Distribution",
    "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::CloudWatch::Dashboard",
    "AWS::Budgets::Budget",
    "AWS::IAM::Role",
    "AWS::S3::Bucket",
}
"""The kinds whose names count in all regions of an account, or of all accounts."""
REGIONAL = {
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::CertificateManager::Certificate",
    "AWS::CloudWatch::Alarm",
    "AWS::Events::Rule",
    "AWS::IAM::Policy",  # of its role
    "AWS::Lambda::Alias",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Url",
    "AWS::Lambda::Version",
    "AWS::Logs::LogGroup",
    "AWS::Logs::QueryDefinition",
    "AWS::Route53::RecordSet",  # a domain name leads to one place
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SecretsManager::Secret",
    "AWS::WAFv2::WebACL",
    "AWS::WAFv2::WebACLAssociation",
}


def own_names(resource: dict[str, Any]) -> list[object]:
    """Return the names that a resource is given: in its properties, or in those that are its whole configuration."""
    given = resource.get("Properties", {})
    inner = [each for key, each in given.items() if key.endswith("Config") or key == "Budget"]
    kind = resource["Type"].rpartition("::")[2]
    return [each[name] for each in (given, *inner) for name in ("Name", f"{kind}Name") if name in each]


@every_config
def test_a_name_that_counts_in_the_whole_account_has_the_region_in_it(config: Config) -> None:
    for made in templates(config).values():
        for resource in made.to_json()["Resources"].values():
            assert resource["Type"] in GLOBAL | REGIONAL
            if resource["Type"] in GLOBAL:
                texts = [json.dumps(name) for name in own_names(resource)]
                assert all('{"Ref": "AWS::Region"}' in text or (config.region and config.region in text) for text in texts)


def test_the_kinds_that_the_stack_names_are_these() -> None:
    resources = template(DEFAULT).to_json()["Resources"].values()
    named = [each["Type"] for each in resources if each["Type"] in GLOBAL and own_names(each)]
    assert sorted(named) == sorted(
        ["AWS::CloudFront::OriginAccessControl"] * 2
        + ["AWS::CloudFront::CachePolicy", "AWS::CloudFront::ResponseHeadersPolicy", "AWS::CloudWatch::Dashboard"]
    )


def test_names_are_short_enough_in_the_region_with_the_longest_one() -> None:
    config = Config(stack_name="a" * 90, region="us-isof-south-1", domain_name="a.example", hosted_zone="Z1", rate_limit=10)
    assert all(len(name) <= 128 for name in templates(config))
    longest = {
        "AWS::CloudFront::OriginAccessControl": 64,
        "AWS::CloudFront::ResponseHeadersPolicy": 128,
        "AWS::CloudFront::CachePolicy": 128,
    }
    for resource in template(config).to_json()["Resources"].values():
        if resource["Type"] in longest:
            (name,) = own_names(resource)
            parts = name["Fn::Join"][1] if isinstance(name, dict) else [name]
            text = "".join(each if isinstance(each, str) else config.region for each in parts)
            assert len(text) <= longest[resource["Type"]]
    assert {resource["Type"] for resource in template(config).to_json()["Resources"].values()} >= set(longest)


def test_two_stacks_of_one_name_in_two_regions_share_no_stack_in_us_east_1() -> None:
    here, there = (needed_stacks(EVERYTHING, region) for region in ("eu-west-1", "eu-west-2"))
    assert len(here) == 3
    assert not set(here) & set(there)


@pytest.mark.parametrize("changes", [{"rate_limit": 100}, {"traffic_alarm_gb": 5}, {"domain_name": "a.example", "hosted_zone": "Z1"}])
def test_an_unknown_region_is_refused_if_it_matters(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="need something in us-east-1; name the stack's region"):
        add_stacks(App(outdir=str(tmp_path)), Config(**changes), packages())


def test_a_web_acl_of_ones_own_is_used_as_it_is() -> None:
    assert distribution(FULL)["WebACLId"] == WEB_ACL
    assert not template(FULL).find_resources("AWS::WAFv2::WebACL")


# SnapStart


def test_with_snap_start_only_the_alias_has_an_address() -> None:
    assert function(EVERYTHING)["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    (alias_id,) = template(EVERYTHING).find_resources("AWS::Lambda::Alias")
    (alias,) = properties(EVERYTHING, "AWS::Lambda::Alias")
    (version,) = template(EVERYTHING).find_resources("AWS::Lambda::Version")
    assert alias["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}
    (url,) = properties(EVERYTHING, "AWS::Lambda::Url")
    assert url["Qualifier"] == alias["Name"] == "live"
    permissions = [each for each in properties(EVERYTHING, "AWS::Lambda::Permission") if each["Principal"] == "cloudfront.amazonaws.com"]
    assert len(permissions) == 2
    assert all(each["FunctionName"] == {"Ref": alias_id} for each in permissions)


@every_config
def test_there_is_no_snapshot_without_snap_start(config: Config) -> None:
    assert ("SnapStart" in function(config)) == config.snap_start
    assert bool(template(config).find_resources("AWS::Lambda::Alias")) == config.snap_start


# Stages and tags


def test_everything_has_the_tags() -> None:
    for each in templates(EVERYTHING).values():
        for kind in ("AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::CertificateManager::Certificate", "AWS::CloudFront::Distribution"):
            for resource in each.find_resources(kind).values():
                assert {"Key": "team", "Value": "video"} in resource["Properties"]["Tags"]
    assert {"Key": "cost-centre", "Value": "1234"} in function(EVERYTHING)["Tags"]
    assert "Tags" not in function(DEFAULT)


# Any value


def accepted() -> set[Config]:
    """Return the configurations that differ from the defaults in one key, with one of these values."""
    configs = set()
    values: tuple[object, ...] = (None, True, False, 0, 60, 10**12, -1.5, "x", "", [], ["x"], {})
    for name in (field.name for field in fields(Config)):
        for value in values:
            with suppress(ConfigError):
                configs.add(read_config({name: value}))
    return configs


def test_every_configuration_that_is_accepted_can_be_synthesized() -> None:
    configs = accepted()
    assert len(configs) > 10
    for config in configs:
        try:
            assert templates(config)
        except ConfigError as error:
            assert "name the stack's region" in str(error)  # noqa: PT017


# The program


def synthesize(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.app", *arguments]
    environment = {**os.environ, "CDK_OUTDIR": str(folder), **environ}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        ({"stage": "test"}, "stage: 'test' is not one of the stages in infra/cdk.json; it has none."),
        ({"transcoder": "x"}, "transcoder: 'x' is not an object, which is written {…}."),
        ({"stages": {"dev": None}}, "stages.dev: it is null; {} is a stage that differs in nothing but its name."),
        ({"transcoder": {"tags": [None]}}, "tags: [None] does not have the type that this key requires."),
        ({"arch": []}, "arch: [] does not have the type that this key requires."),
        (
            {"transcoder": {"alarm_topic_arn": "arn:aws:sns:eu-west-1:111122223333:own"}},
            "alarm_topic_arn: it is in eu-west-1, and has to be in eu-central-1.",
        ),
    ],
    ids=["stage", "text", "null", "list", "arch", "region"],
)
def test_what_is_refused_is_a_sentence_and_no_template(context: dict[str, object], sentence: str, tmp_path: Path) -> None:
    result = synthesize(tmp_path, CDK_CONTEXT_JSON=json.dumps(context), CDK_DEFAULT_REGION="eu-central-1")
    assert result.returncode == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("*.template.json"))
