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
    assert list(templates(EVERYTHING)) == ["Transcoder-prod-Front", "Transcoder-prod", "Transcoder-prod-Traffic"]
    assert {"AWS::WAFv2::WebACL", "AWS::CertificateManager::Certificate"} <= kinds(EVERYTHING, "Transcoder-prod-Front")
    assert {"AWS::CloudWatch::Alarm", "AWS::SNS::Topic"} <= kinds(EVERYTHING, "Transcoder-prod-Traffic")
    assert not {"AWS::WAFv2::WebACL", "AWS::CertificateManager::Certificate"} & kinds(EVERYTHING)
    assert "AWS::Route53::RecordSet" in kinds(EVERYTHING)
    # The alarm in us-east-1 cannot notify a topic in another region.
    (alarm,) = templates(EVERYTHING)["Transcoder-prod-Traffic"].find_resources("AWS::CloudWatch::Alarm").values()
    (topic,) = templates(EVERYTHING)["Transcoder-prod-Traffic"].find_resources("AWS::SNS::Topic")
    assert alarm["Properties"]["AlarmActions"] == [{"Ref": topic}]
    assert all(len(each["AlarmActions"]) == 2 for each in properties(EVERYTHING, "AWS::CloudWatch::Alarm"))


def test_the_cdks_own_functions_may_only_pass_on_these_values() -> None:
    roles = [role["Properties"] for each in templates(EVERYTHING).values() for role in each.find_resources("AWS::IAM::Role").values()]
    policies = [policy["PolicyDocument"] for role in roles for policy in role.get("Policies", [])]
    passing_on = [statement for policy in policies for statement in policy["Statement"]]
    assert len(passing_on) >= 4  # to write and to read, in both directions
    for statement in passing_on:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        assert all(action.startswith("ssm:") for action in actions)
        assert "parameter/cdk/exports/" in json.dumps(statement["Resource"])


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
    ],
    ids=["stage", "text", "null", "list", "arch"],
)
def test_what_is_refused_is_a_sentence_and_no_template(context: dict[str, object], sentence: str, tmp_path: Path) -> None:
    result = synthesize(tmp_path, CDK_CONTEXT_JSON=json.dumps(context))
    assert result.returncode == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("*.template.json"))
