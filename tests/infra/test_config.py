"""The configuration of a deployment, and the errors for invalid values."""

import json
import math
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from peers.drawn_inputs import examples

from infra.config import Config, ConfigError
from infra.config_limits import MAY_BE_NONE, RANGES
from infra.context import read_config, read_context, staged
from transcoder.cli.file_parts import PART_BYTES
from transcoder.core.answer.lambda_cost import (
    DOLLARS_PER_CLOUDFRONT_GIB,
    DOLLARS_PER_CLOUDFRONT_REQUEST,
    DOLLARS_PER_GIB_SECOND,
    DOLLARS_PER_REQUEST,
    GIB,
    download_cost,
)
from transcoder.settings import Settings

INFRA = Path(__file__).resolve().parents[2] / "infra"
CONTEXT = json.loads((INFRA / "cdk.json").read_text(encoding="utf-8"))["context"]
OPERATING = (INFRA.parent / "docs" / "operating.md").read_text(encoding="utf-8")
DOMAIN = "videos.example"
ZONE = "Z0123456789"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"

KEYS = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keys-AbCdEf"
WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/name/12345678-1234-1234-1234-123456789012"


def test_an_empty_context_gives_the_defaults() -> None:
    assert read_config({}) == Config()


def test_cdk_json_lists_every_key_with_its_default() -> None:
    defaults = {field.name: getattr(Config(), field.name) for field in fields(Config)}
    assert CONTEXT["transcoder"] == {name: list(value) if isinstance(value, tuple) else value for name, value in defaults.items()}
    assert list(CONTEXT["transcoder"]) == list(defaults)
    assert CONTEXT["stages"] == {}


def test_the_document_lists_every_key_with_its_default() -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \| `([^`|]*)` \|", OPERATING.split("### Configuration")[1].split("\n### ")[0], re.MULTILINE))
    assert listed == {name: json.dumps(value) for name, value in CONTEXT["transcoder"].items()}


@pytest.mark.parametrize("path", sorted((INFRA / "examples").glob("*.json")), ids=lambda path: path.stem)
def test_every_example_is_a_configuration(path: Path) -> None:
    assert read_config(json.loads(path.read_text(encoding="utf-8"))) != Config()


def test_a_stage_has_the_keys_in_which_it_differs() -> None:
    context = {"transcoder": {"memory_mib": 512, "log_days": 7}, "stages": {"dev": {"log_days": 1}}}
    config = read_config(staged(context, "dev"))
    assert (config.full_name, config.memory_mib, config.log_days) == ("Transcoder-dev", 512, 1)
    assert read_config(staged(context, "")) == Config(memory_mib=512, log_days=7)
    with pytest.raises(ConfigError, match=r"'prod' is not one of the stages in infra/cdk\.json; it has dev"):
        staged(context, "prod")


@pytest.mark.parametrize(
    ("context", "message"),
    [
        pytest.param({"transcoder": "x"}, r"transcoder: 'x' is not an object", id="a text for the keys"),
        pytest.param({"transcoder": []}, r"transcoder: \[\] is not an object", id="a list for the keys"),
        pytest.param({"transcoder": False}, "transcoder: False is not an object", id="false for the keys"),
        pytest.param({"stages": ["dev"]}, r"stages: \['dev'\] is not an object", id="a list of stages"),
        pytest.param({"stages": {"dev": None}}, r"stages\.dev: it is null; {} is a stage", id="null for a stage"),
        pytest.param({"stages": {"dev": {"stage": ""}}}, r"stages\.dev: it has the key stage", id="a stage with another name"),
        pytest.param(
            {"transcoder": {"domain_name": "a.example"}, "stages": {"dev": {}}},
            r"stages\.dev: a domain name belongs to",
            id="one name twice",
        ),
        pytest.param({"stages": {"dev": 5, "prod": {}}}, r"stages\.dev: 5 is not an object", id="a number for a stage"),
    ],
)
@pytest.mark.parametrize("stage", ["", "dev", "prod"])
def test_what_is_no_object_is_refused_by_its_place(context: dict[str, object], message: str, stage: str) -> None:
    with pytest.raises(ConfigError, match=message):
        staged(context, stage)


def test_a_stage_that_is_not_a_text_is_refused() -> None:
    stages: tuple[object, ...] = (5, ["dev"], {"dev": {}}, True)
    for stage in stages:
        with pytest.raises(ConfigError, match="is not one of the stages"):
            staged({"stages": {"dev": {}}}, stage)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "cdk.json: "), ("[]", r"cdk\.json: \[\] is not an object"), ('{"context": 5}', "context: 5 is not"), ("\ud800", "cdk.json: ")],
)
def test_a_cdk_json_that_is_none_is_refused_with_a_sentence(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "cdk.json"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(ConfigError, match=message):
        read_context(path)


def test_every_number_has_a_range_and_its_default_is_in_it() -> None:
    numbers = {field.name: field.default for field in fields(Config) if field.type is int}
    assert set(RANGES) == set(numbers)
    assert all(value in RANGES[name] or (value == 0 and name in MAY_BE_NONE) for name, value in numbers.items())


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["", "x", "\ud800", "é=", "Z1", "a" * 5000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from(list(CONTEXT["transcoder"])), inner),
    max_leaves=4,
)
PLACES = [("transcoder",), ("stages",), ("stages", "dev"), ("stage",), ("arch",)]
PLACES += [(*above, name) for above in (("transcoder",), ("stages", "dev")) for name in CONTEXT["transcoder"]]


@pytest.mark.parametrize("place", PLACES, ids="/".join)
@given(value=JSON_VALUES)
@example(None)
@example(value=True)
@example(value=0)
@example(value=10**30)
@example(value=-1.5)
@example("x")
@example([])
@example([None])
@example({})
@example({"dev": None})
@settings(max_examples=examples(40))
def test_any_json_at_any_place_is_a_configuration_or_one_sentence(place: tuple[str, ...], value: object) -> None:
    context: dict[str, Any] = {"transcoder": {}, "stages": {"dev": {}}, "stage": "dev", "arch": "arm64"}
    inner = context
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    try:
        config = read_config(staged(context, context["stage"]), arch=context["arch"])
    except ConfigError as error:
        assert re.search(r"\.$", str(error))  # noqa: PT017  # a sentence
    else:
        assert config.environment


def test_values_are_read_from_the_context() -> None:
    config = read_config({"memory_mib": 2048, "allowed_hosts": ["a.example", "b.example"], "signing": True}, arch="x86_64")
    assert (config.memory_mib, config.allowed_hosts, config.signing, config.arch) == (2048, ("a.example", "b.example"), True, "x86_64")


def test_other_settings_reach_the_function() -> None:
    config = read_config({"settings": ["TRANSCODER_ATTEMPTS=2"], "allowed_hosts": ["a.example", "b.example"]})
    settings = Settings.from_env(config.environment)
    assert (settings.attempts, settings.allowed_hosts, settings.ffmpeg) == (2, ("a.example", "b.example"), "/opt/bin/ffmpeg")


def test_an_own_bucket_may_be_set_without_that_of_the_stack() -> None:
    config = read_config({"bucket": False, "settings": ["TRANSCODER_BUCKET=own", "TRANSCODER_FILES_URL=https://files.example"]})
    assert (config.environment["TRANSCODER_BUCKET"], config.publishes_files) == ("own", False)


@pytest.mark.parametrize(
    ("context", "published"),
    [
        pytest.param({}, True, id="links without a signature"),
        pytest.param({"signing": True}, False, id="signed links"),
        pytest.param(
            {"settings": ["TRANSCODER_SIGNING_KEYS=a key of sixteen or more"]}, False, id="signed links, with keys in the settings"
        ),
        pytest.param({"settings": ["TRANSCODER_SIGNING_SECRET_ARN=" + KEYS]}, False, id="signed links, with a secret of one's own"),
        pytest.param({"bucket": False}, False, id="no bucket"),
    ],
)
def test_files_are_published_only_if_links_need_no_signature(context: dict[str, object], published: bool) -> None:  # noqa: FBT001
    assert read_config(context).publishes_files is published


@pytest.mark.parametrize(
    ("context", "message"),
    [
        pytest.param({"colour": "red"}, r"transcoder\.colour is not a known key", id="an unknown key"),
        pytest.param({"memory_mib": "1024"}, "memory_mib: '1024' does not have the type", id="a string for a number"),
        pytest.param({"memory_mib": True}, "memory_mib: True does not have the type", id="true for a number"),
        pytest.param({"signing": 1}, "signing: 1 does not have the type", id="a number for true"),
        pytest.param({"allowed_hosts": "a.example"}, "allowed_hosts: 'a.example' does not have the type", id="a string for a list"),
        pytest.param({"allowed_hosts": [1]}, "allowed_hosts", id="a list of numbers"),
        pytest.param({"settings": ["TRANSCODER_COLOUR=red"]}, "TRANSCODER_COLOUR is not a setting", id="an unknown setting"),
        pytest.param({"settings": ["TRANSCODER_ATTEMPTS"]}, "'' is not a value", id="a setting without a value"),
        pytest.param({"settings": ["AWS_REGION=x"]}, "does not begin with TRANSCODER_", id="a variable that is not a setting"),
        pytest.param({"settings": ["TRANSCODER_BUCKET=own"]}, "set by the stack", id="a second bucket"),
        pytest.param({"settings": ["TRANSCODER_FILES_URL=/"]}, "set by the stack", id="an address of the files of the stack"),
        pytest.param({"settings": ["TRANSCODER_ATTEMPTS=2", "TRANSCODER_ATTEMPTS=3"]}, "ATTEMPTS is there twice", id="a setting twice"),
        pytest.param({"settings": ["TRANSCODER_SIGNING_KEYS=short"]}, "settings: A signing key is shorter", id="a short key"),
        pytest.param({"settings": ["TRANSCODER_REDDIT_USER_AGENT=a\nb"]}, "cannot be printed", id="a setting of two lines"),
        pytest.param({"bucket": False, "settings": ["TRANSCODER_BUCKET=a*"]}, r"BUCKET: 'a\*' is not the name", id="any bucket for files"),
        pytest.param(
            {"bucket": False, "settings": ["TRANSCODER_FILES_URL=https://a.example"]}, "which is missing", id="files without a bucket"
        ),
        pytest.param(
            {"bucket": False, "settings": ["TRANSCODER_BUCKET=own", "TRANSCODER_FILES_URL=/"]},
            "sends no files of a bucket of your own",
            id="files of one's own bucket on the service's address",
        ),
        pytest.param({"settings": ["TRANSCODER_SIGNING_SECRET_ARN=keys"]}, "SECRET_ARN: 'keys' is not such an ARN", id="a secret's name"),
        pytest.param({"settings": ["TRANSCODER_SIGNING_SECRET_ARN=" + KEYS], "signing": True}, "leave one of them out", id="two secrets"),
        pytest.param(
            {"settings": ["TRANSCODER_SIGNING_SECRET_ARN=" + KEYS], "region": "us-east-1"},
            "it is in eu-west-1, and has to be in us-east-1",
            id="a secret of another region",
        ),
        pytest.param({"allowed_hosts": [""]}, "allowed_hosts: '' is not the name of a host", id="no host, which would allow any"),
        pytest.param({"allowed_hosts": ["https://a.example/"]}, "is not the name of a host", id="an address for a host"),
        pytest.param({"allowed_hosts": ["*.a.example"]}, "is not the name of a host", id="a part of a host"),
        pytest.param({"allowed_hosts": ["a.example:8443"]}, "is not the name of a host", id="a host with a port"),
        pytest.param({"settings": ["TRANSCODER_ALLOW_PRIVATE=1"]}, "ALLOW_PRIVATE would let callers reach", id="private addresses"),
        pytest.param({"settings": ["TRANSCODER_LOG_TEXT=1"]}, "LOG_TEXT: the alarms", id="a log that no alarm reads"),
        pytest.param({"settings": ["TRANSCODER_RESPONSE_LIMIT=209715201"]}, "after 209,715,200 bytes", id="more than Lambda sends"),
        pytest.param({"allowed_buckets": [f"bucket-{n}" for n in range(101)]}, "these are more than 100", id="too many buckets"),
        pytest.param({"file_days": 0}, "file_days: 0 is not from 1 to", id="files that expire at once"),
        pytest.param({"allowed_buckets": ["*"]}, r"allowed_buckets: '\*' is not the name", id="any bucket"),
        pytest.param({"settings": ["TRANSCODER_ALLOWED_BUCKETS=a*b"]}, r"'a\*b' is not the name", id="any bucket, in a setting"),
        pytest.param({"arch": "riscv64"}, "arch: 'riscv64' is not one of arm64, x86_64", id="an architecture that Lambda does not have"),
        pytest.param({"log_days": 31}, "log_days: 31 is not one of", id="a retention that CloudWatch does not have"),
        pytest.param({"stage": "a b"}, "'Transcoder-a b' is not a name", id="a stage with a space"),
        pytest.param({"stack_name": "a" * 91}, "stack_name, stage: .* more than 90 characters", id="a long name"),
        pytest.param({"tags": ["team"]}, "tags: 'team' is not a tag", id="a tag without a value"),
        pytest.param({"tags": ["aws:a=b"]}, "'aws:a=b' is not a tag", id="a tag that AWS keeps for itself"),
        pytest.param({"tags": ["AWS:a=b"]}, "'AWS:a=b' is not a tag", id="the same in capitals"),
        pytest.param({"tags": ["team=a", "Team=b"]}, "tags: 'team' is there twice", id="a tag twice"),
        pytest.param({"tags": [f"t{n}=x" for n in range(51)]}, "tags: these are 51, and AWS allows 50", id="too many tags"),
        pytest.param(
            {"tags": [f"t{n}=x" for n in range(50)], "domain_name": DOMAIN, "hosted_zone": ZONE},
            "these are 50, and AWS allows 49",
            id="too many tags beside that of the certificate",
        ),
        pytest.param(
            {"domain_name": f"{'a' * 61}.example", "hosted_zone": ZONE}, "domain_name: ACM makes .* up to 64", id="a name too long for ACM"
        ),
        pytest.param(
            {"settings": ["TRANSCODER_DENIED=" + "a" * 4000]}, "has 4,[0-9]{3} bytes, and Lambda allows 4,096", id="a large setting"
        ),
        pytest.param({"allowed_hosts": ["a.example"] * 400}, "allowed_hosts.* Lambda allows 4,096", id="many hosts"),
        pytest.param({"region": "Frankfurt"}, "'Frankfurt' is not the name of a region", id="the name of a city"),
        pytest.param({"memory_mib": 64}, "memory_mib: 64 is not from 128 to 10,240", id="too little memory"),
        pytest.param({"ephemeral_storage_mib": 20_000}, "ephemeral_storage_mib: 20000 is not from 512", id="too large a folder"),
        pytest.param({"timeout_seconds": 901}, "901 is more than 900, .* timeout_beyond_900", id="a timeout that not every account allows"),
        pytest.param({"timeout_seconds": 1801, "timeout_beyond_900": True}, "1801 is not from 1 to 1,800", id="a timeout beyond any"),
        pytest.param({"timeout_seconds": 0}, "0 is not from 1", id="no time"),
        pytest.param({"concurrency": -1}, "-1 is not from 1 to 1,000,000, or 0, which makes none", id="a negative concurrency"),
        pytest.param({"snap_start": True, "ephemeral_storage_mib": 1024}, "snap_start: .* at most 512", id="a snapshot of a large folder"),
        pytest.param({"front": "alb"}, "front: 'alb' is not one of cloudfront, api-gateway", id="a front that does not stream"),
        pytest.param({"rate_limit": 9}, "rate_limit: 9 is not from 10 to", id="a rate below the minimum of WAF"),
        pytest.param({"rate_limit": 100, "web_acl_arn": WEB_ACL}, "web_acl_arn names another one", id="two web ACLs"),
        pytest.param({"info_cache_seconds": -1}, "info_cache_seconds: -1 is not from 1", id="a negative age"),
        pytest.param({"info_cache_seconds": 0}, "info_cache_seconds: 0 is not from 1", id="a cache policy that CloudFront refuses"),
        pytest.param({"web_acl_arn": "garbage"}, "web_acl_arn: 'garbage' is not such an ARN", id="no web ACL"),
        pytest.param({"web_acl_arn": WEB_ACL.replace("global", "regional")}, "CloudFront needs", id="a regional web ACL for CloudFront"),
        pytest.param({"certificate_arn": "garbage", "domain_name": DOMAIN}, "'garbage' is not such an ARN", id="no certificate"),
        pytest.param(
            {"front": "api-gateway", "region": "eu-west-1", "certificate_arn": CERTIFICATE, "domain_name": DOMAIN},
            "it is in us-east-1, and has to be in eu-west-1",
            id="a certificate of another region",
        ),
        pytest.param({"domain_name": "https://v.example/", "hosted_zone": ZONE}, "is not the name of a host", id="an address for a name"),
        pytest.param({"alarm_topic_arn": "garbage"}, "alarm_topic_arn: 'garbage' is not such an ARN", id="no topic"),
        pytest.param(
            {"alarm_topic_arn": TOPIC, "region": "eu-west-1"}, "it is in us-east-1, and has to be in eu-west-1", id="a topic elsewhere"
        ),
        pytest.param(
            {"alarm_topic_arn": TOPIC.replace("us-east-1", "eu-west-1"), "region": "eu-west-1", "traffic_alarm_gb": 5},
            "cannot notify alarm_topic_arn; set alarm_email",
            id="traffic of which nobody hears",
        ),
        pytest.param(
            {"allowed_hosts": ["a.example"], "settings": ["TRANSCODER_ALLOWED_HOSTS=b.example"]},
            "says what the key allowed_hosts says",
            id="hosts twice",
        ),
        pytest.param(
            {"allowed_buckets": ["aaa"], "settings": ["TRANSCODER_ALLOWED_BUCKETS=bbb"]},
            "says what the key allowed_buckets says",
            id="buckets twice",
        ),
        pytest.param({"front": "api-gateway", "info_cache_seconds": 5}, "only CloudFront caches", id="a cache without CloudFront"),
        pytest.param({"front": "api-gateway", "traffic_alarm_gb": 5}, "only CloudFront counts bytes", id="traffic without CloudFront"),
        pytest.param({"front": "api-gateway", "web_acl_arn": WEB_ACL}, "must be a regional web ACL", id="CloudFront's web ACL elsewhere"),
        pytest.param(
            {"front": "api-gateway", "timeout_seconds": 1000, "timeout_beyond_900": True},
            "a REST API streams for 900 s at most",
            id="a longer stream than a REST API sends",
        ),
        pytest.param({"hosted_zone": ZONE}, "domain_name: it is missing", id="a hosted zone without a domain name"),
        pytest.param({"hosted_zone": "example.com", "domain_name": DOMAIN}, "is not the id of a hosted zone", id="the name of a zone"),
        pytest.param({"domain_name": DOMAIN}, "it needs a hosted_zone, .* or a certificate_arn", id="a domain name without a certificate"),
        pytest.param({"certificate_arn": CERTIFICATE}, "domain_name: it is missing", id="a certificate without a domain name"),
        pytest.param(
            {"domain_name": DOMAIN, "certificate_arn": CERTIFICATE, "hosted_zone": ZONE}, "leave one of them out", id="two certificates"
        ),
        pytest.param(
            {"domain_name": DOMAIN, "certificate_arn": CERTIFICATE.replace("us-east-1", "eu-west-1")},
            "only accepts certificates in us-east-1",
            id="a certificate in another region",
        ),
        pytest.param({"alarm_email": "nobody"}, "'nobody' is not an e-mail address", id="no address"),
        pytest.param({"traffic_alarm_gb": -1}, "traffic_alarm_gb: -1 is not from 1", id="negative traffic"),
        pytest.param({"monthly_budget_dollars": 5}, "nobody to write to; set alarm_email", id="a budget that nobody hears of"),
        pytest.param({"canary_minutes": 1}, "canary_minutes: 1 is not from 5 to 720", id="a hectic canary"),
    ],
)
def test_an_invalid_value_is_refused_with_a_message(context: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_config(context)


@pytest.mark.parametrize(
    ("context", "name", "value"),
    [
        pytest.param(
            {"timeout_seconds": 1800, "timeout_beyond_900": True}, "timeout_seconds", 1800, id="a timeout that the account allows"
        ),
        pytest.param({"rate_limit": 10}, "rate_limit", 10, id="the minimum of WAF"),
        pytest.param({"tags": [f"t{n}=x" for n in range(50)]}, "stack_name", "Transcoder", id="as many tags as AWS allows"),
        pytest.param({"stack_name": "a" * 90}, "stack_name", "a" * 90, id="the longest name"),
        pytest.param(
            {"domain_name": f"{'a' * 56}.example", "hosted_zone": ZONE}, "hosted_zone", ZONE, id="the longest name of a certificate"
        ),
        pytest.param({"canary_minutes": 0}, "canary_minutes", 0, id="no canary"),
        pytest.param(
            {"front": "api-gateway", "domain_name": DOMAIN, "certificate_arn": CERTIFICATE.replace("us-east-1", "eu-west-1")},
            "domain_name",
            DOMAIN,
            id="a certificate in the region of a REST API",
        ),
    ],
)
def test_a_value_at_the_limit_is_accepted(context: dict[str, object], name: str, value: object) -> None:
    assert getattr(read_config(context), name) == value


def test_the_page_is_only_there_if_its_addresses_lead_to_it() -> None:
    assert Settings.from_env(read_config({}).environment).page
    assert not Settings.from_env(read_config({"front": "api-gateway"}).environment).page
    named = {"front": "api-gateway", "domain_name": DOMAIN, "hosted_zone": ZONE}
    assert Settings.from_env(read_config(named).environment).page
    assert not read_config(named).publishes_files


@pytest.mark.parametrize("mib", [100, 1024])
def test_the_document_says_what_ranges_cost(mib: int) -> None:
    size = mib * 1024 * 1024
    count = math.ceil(size / PART_BYTES)
    compute = (count + 1) * DOLLARS_PER_GIB_SECOND + count * DOLLARS_PER_REQUEST
    traffic = size / GIB * DOLLARS_PER_CLOUDFRONT_GIB + count * DOLLARS_PER_CLOUDFRONT_REQUEST
    (row,) = re.findall(rf"^\| (?:1 GiB )?by ranges \| {count} \| {count + 1} \|(.*)\|$", OPERATING, re.MULTILINE)
    assert [float(text) for text in re.findall(r"\$([\d.]+)", row)] == pytest.approx([compute, traffic, compute + traffic], rel=0.02)


def test_the_document_says_what_one_stream_costs() -> None:
    cost = download_cost(100 * 1024 * 1024, fragmented=True)
    (row,) = re.findall(r"^\| one stream \| 1 \| 48 \|(.*)\|$", OPERATING, re.MULTILINE)
    compute, streaming, traffic, total = (float(text) for text in re.findall(r"\$([\d.]+)", row))
    assert [compute + streaming, traffic, total] == pytest.approx([cost.on_lambda, cost.on_cloudfront, cost.total], rel=0.01)
