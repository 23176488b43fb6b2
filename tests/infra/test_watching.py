"""What watches a deployment: its outputs, dashboard, queries, alarms and budget, and who hears of them; and the canary."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from peers.synthesized import (
    API_GATEWAY,
    DEFAULT,
    EVERYTHING,
    FULL,
    NEW_ACCOUNT,
    NO_BUCKET,
    canary,
    every_config,
    properties,
    remove_packages,
    statements,
    template,
    templates,
)

from infra.config import Config
from infra.queries import QUERIES
from transcoder.core.answer.metrics import NAMESPACE, UNITS, Record
from transcoder.settings import Settings

OPERATING = (Path(__file__).resolve().parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
WITH_CANARY = pytest.mark.parametrize("config", [DEFAULT, FULL, API_GATEWAY, EVERYTHING], ids=["defaults", "full", "api", "everything"])


@pytest.fixture(scope="module", autouse=True)
def packages_are_removed() -> Iterator[None]:
    yield
    remove_packages()


def outputs(config: Config) -> dict[str, object]:
    return {name: output["Value"] for name, output in template(config).find_outputs("*").items()}


@every_config
def test_the_outputs_lead_to_everything(config: Config) -> None:
    expected = {"Page", "Address", "FunctionName", "LogGroup", "DashboardUrl"}
    expected |= {"RestApiId"} if config.front == "api-gateway" else {"DistributionId", "DistributionDomain"}
    expected |= {"DomainTarget"} if config.front == "api-gateway" and config.domain_name else set()
    expected |= {"SigningSecretArn"} if config.signing else set()
    expected |= {"BucketName"} if config.bucket else set()
    expected |= {"CanaryLogGroup"} if config.canary_minutes else set()
    assert {name for name in outputs(config) if not name.startswith("Publish")} == expected
    assert all(f"`{name}`" in OPERATING for name in expected)


def test_the_address_is_the_domain_name_if_there_is_one() -> None:
    assert (outputs(FULL)["Address"], outputs(FULL)["Page"]) == ("https://videos.example", "https://videos.example/")
    assert outputs(API_GATEWAY)["Address"] == "https://videos.example.com"
    assert "DomainName" in json.dumps(outputs(DEFAULT)["Address"])


@every_config
def test_the_dashboard_shows_the_function_and_what_is_in_front_of_it(config: Config) -> None:
    (dashboard,) = properties(config, "AWS::CloudWatch::Dashboard")
    assert dashboard["DashboardName"] == {"Fn::Join": ["", [f"{config.full_name}-", {"Ref": "AWS::Region"}]]}
    text = json.dumps(dashboard["DashboardBody"])
    metrics = {"Invocations", "Errors", "Throttles", "ConcurrentExecutions", "bytes", "first_byte_ms", "total_ms"}
    assert {name for name in metrics if name not in text} == set()
    assert ("BytesDownloaded" in text) == (config.front == "cloudfront")
    assert ("us-east-1" in text) == (config.front == "cloudfront")
    assert ("Canary" in text) == bool(config.canary_minutes)
    assert NAMESPACE in text


@every_config
def test_the_saved_queries_ask_the_functions_log(config: Config) -> None:
    saved = {each["Name"]: each for each in properties(config, "AWS::Logs::QueryDefinition")}
    assert set(saved) == {f"{config.full_name}/{name}" for name in QUERIES}
    assert {each["LogGroupNames"][0]["Ref"][:13] for each in saved.values()} == {"TranscoderLog"}


def test_the_saved_queries_ask_for_fields_that_the_log_has() -> None:
    noted = {"source_host", "reddit_step", "reddit_asked"}
    fields = set(Record._fields) | set(UNITS) | noted
    words = {
        "filter",
        "ispresent",
        "and",
        "or",
        "stats",
        "count",
        "as",
        "by",
        "sort",
        "desc",
        "pct",
        "max",
        "sum",
        "bin",
        "limit",
        "display",
    }
    for text in QUERIES.values():
        plain = re.sub(r'"[^"]*"', "", text)
        made = set(re.findall(r"as (\w+)", plain))
        assert set(re.findall(r"(?<![@\w])[a-zA-Z_]\w*", plain)) - words - made - {"1h", "timestamp"} <= fields
    assert all(f"| {name} |" in OPERATING for name in QUERIES)


def test_an_address_hears_of_every_alarm_and_of_its_end() -> None:
    (topic,) = template(NEW_ACCOUNT).find_resources("AWS::SNS::Topic")
    alarms = properties(NEW_ACCOUNT, "AWS::CloudWatch::Alarm")
    assert len(alarms) == 5
    assert all(each["AlarmActions"] == each["OKActions"] == [{"Ref": topic}] for each in alarms)
    template(NEW_ACCOUNT).has_resource_properties("AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "you@example.com"})


def test_only_the_alarms_of_the_account_may_publish_and_only_with_tls() -> None:
    (policy,) = properties(NEW_ACCOUNT, "AWS::SNS::TopicPolicy")
    tls, publish = sorted(policy["PolicyDocument"]["Statement"], key=lambda each: str(each["Effect"]), reverse=True)
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert (publish["Action"], publish["Principal"]) == ("sns:Publish", {"Service": "cloudwatch.amazonaws.com"})
    assert publish["Condition"] == {"StringEquals": {"AWS:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_without_an_address_there_is_no_topic_and_no_budget() -> None:
    for kind in ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::Budgets::Budget"):
        template(DEFAULT).resource_count_is(kind, 0)


def test_the_budget_writes_before_and_when_it_is_spent() -> None:
    (budget,) = properties(NEW_ACCOUNT, "AWS::Budgets::Budget")
    assert budget["Budget"] == {"BudgetLimit": {"Amount": 10, "Unit": "USD"}, "BudgetType": "COST", "TimeUnit": "MONTHLY"}
    notifications = [each["Notification"] for each in budget["NotificationsWithSubscribers"]]
    assert [(each["NotificationType"], each["Threshold"]) for each in notifications] == [("ACTUAL", 80), ("FORECASTED", 100)]
    subscribers = [each["Subscribers"] for each in budget["NotificationsWithSubscribers"]]
    assert subscribers == [[{"Address": "you@example.com", "SubscriptionType": "EMAIL"}]] * 2


def test_in_us_east_1_the_alarm_on_traffic_is_in_the_stack_itself() -> None:
    config = replace(DEFAULT, region="us-east-1", traffic_alarm_gb=50, alarm_email="you@example.com")
    assert list(templates(config)) == ["Transcoder"]
    (alarm,) = (each for each in properties(config, "AWS::CloudWatch::Alarm") if each.get("Namespace") == "AWS/CloudFront")
    (own,) = template(config).find_resources("AWS::CloudFront::Distribution")
    assert (alarm["MetricName"], alarm["Threshold"], alarm["Period"], alarm["Statistic"]) == ("BytesDownloaded", 50e9, 3600, "Sum")
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {"DistributionId": {"Ref": own}, "Region": "Global"}
    assert alarm["AlarmActions"]


@WITH_CANARY
def test_the_canary_calls_the_front_door_on_a_schedule(config: Config) -> None:
    variables = canary(config)["Environment"]["Variables"]
    assert variables["CANARY_ADDRESS"] == outputs(config)["Address"]
    assert "s3://" in json.dumps(variables["CANARY_SOURCE"])
    assert Settings.from_env({name: str(value) for name, value in variables.items()}).signing_secret_arn != "" or not config.signing
    (rule,) = properties(config, "AWS::Events::Rule")
    minutes = config.canary_minutes
    assert rule["ScheduleExpression"] == ("rate(1 hour)" if minutes == 60 else f"rate({minutes} minutes)")
    assert (rule["State"], len(rule["Targets"])) == ("ENABLED", 1)
    assert canary(config)["Architectures"] == [config.arch]
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in variables


@WITH_CANARY
def test_the_canary_may_write_its_log_and_read_the_keys_it_signs_with(config: Config) -> None:
    (log,) = (name for name in template(config).find_resources("AWS::Logs::LogGroup") if name.startswith("Canary"))
    write, *more = statements(config, "CanaryRole")
    assert write == {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": {"Fn::GetAtt": [log, "Arn"]}}
    secrets = list(template(config).find_resources("AWS::SecretsManager::Secret"))
    expected = [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": secret}} for secret in secrets]
    assert more == expected


@WITH_CANARY
def test_only_this_schedule_may_invoke_the_canary(config: Config) -> None:
    (permission,) = (each for each in properties(config, "AWS::Lambda::Permission") if each["Principal"] == "events.amazonaws.com")
    (rule,) = template(config).find_resources("AWS::Events::Rule")
    assert (permission["Action"], permission["SourceArn"]) == ("lambda:InvokeFunction", {"Fn::GetAtt": [rule, "Arn"]})
    assert permission["FunctionName"]["Fn::GetAtt"][0].startswith("CanaryFunction")


@WITH_CANARY
def test_the_function_may_read_one_object_of_the_film(config: Config) -> None:
    (read,) = (each for each in statements(config) if "-assets-" in json.dumps(each["Resource"]))
    assert read["Action"] == "s3:GetObject"
    assert re.search(r"/[0-9a-f]{64}\.ts", json.dumps(read["Resource"]))
    assert "*" not in json.dumps(read["Resource"])


def test_the_canarys_alarm_rings_if_no_film_arrived_whole() -> None:
    (alarm,) = (each for each in properties(EVERYTHING, "AWS::CloudWatch::Alarm") if "film" in each["AlarmDescription"])
    expression, *metrics = sorted(alarm["Metrics"], key=lambda each: "Expression" not in each)
    assert expression["Expression"] == "FILL(runs, 0) - FILL(failed, 0)"
    assert {each["Id"]: each["MetricStat"]["Metric"]["MetricName"] for each in metrics} == {"runs": "Invocations", "failed": "Errors"}
    assert {each["MetricStat"]["Period"] for each in metrics} == {2 * 60 * EVERYTHING.canary_minutes}
    assert (alarm["Threshold"], alarm["ComparisonOperator"], alarm["TreatMissingData"]) == (1, "LessThanThreshold", "breaching")


def test_without_a_canary_there_is_none() -> None:
    template(NO_BUCKET).resource_count_is("AWS::Events::Rule", 0)
    template(NO_BUCKET).resource_count_is("AWS::Lambda::Function", 1)
