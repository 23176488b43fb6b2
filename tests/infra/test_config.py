"""The configuration of a deployment, and the errors for invalid values."""

import json
from pathlib import Path

import pytest

from infra.config import Config, ConfigError
from transcoder.settings import Settings

CDK_JSON = Path(__file__).resolve().parents[2] / "infra" / "cdk.json"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


def test_an_empty_context_gives_the_defaults() -> None:
    assert Config.from_context({}) == Config()


def test_cdk_json_in_the_repository_has_the_defaults() -> None:
    assert Config.from_context(json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]["transcoder"]) == Config()


def test_values_are_read_from_the_context() -> None:
    config = Config.from_context({"memory_mib": 2048, "allowed_hosts": ["a.example", "b.example"], "signing": True}, arch="x86_64")
    assert (config.memory_mib, config.allowed_hosts, config.signing, config.arch) == (2048, ("a.example", "b.example"), True, "x86_64")


def test_other_settings_reach_the_function() -> None:
    config = Config.from_context({"settings": ["TRANSCODER_ATTEMPTS=2"], "allowed_hosts": ["a.example", "b.example"]})
    settings = Settings.from_env(config.environment)
    assert (settings.attempts, settings.allowed_hosts, settings.ffmpeg) == (2, ("a.example", "b.example"), "/opt/bin/ffmpeg")


def test_an_own_bucket_may_be_set_without_that_of_the_stack() -> None:
    config = Config.from_context({"bucket": False, "settings": ["TRANSCODER_BUCKET=own", "TRANSCODER_FILES_URL=https://files.example"]})
    assert (config.environment["TRANSCODER_BUCKET"], config.publishes_files) == ("own", False)


@pytest.mark.parametrize(
    ("context", "published"),
    [
        pytest.param({}, True, id="links without a signature"),
        pytest.param({"signing": True}, False, id="signed links"),
        pytest.param(
            {"settings": ["TRANSCODER_SIGNING_KEYS=a key of sixteen or more"]}, False, id="signed links, with keys in the settings"
        ),
        pytest.param(
            {"settings": ["TRANSCODER_SIGNING_SECRET_ARN=arn:aws:secretsmanager:a"]}, False, id="signed links, with a secret of one's own"
        ),
        pytest.param({"bucket": False}, False, id="no bucket"),
    ],
)
def test_files_are_published_only_if_links_need_no_signature(context: dict[str, object], published: bool) -> None:  # noqa: FBT001
    assert Config.from_context(context).publishes_files is published


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
        pytest.param({"file_days": 0}, "file_days: 0 is not 1 or more", id="files that expire at once"),
        pytest.param({"allowed_buckets": ["*"]}, r"allowed_buckets: '\*' is not the name", id="any bucket"),
        pytest.param({"settings": ["TRANSCODER_ALLOWED_BUCKETS=a*b"]}, r"'a\*b' is not the name", id="any bucket, in a setting"),
        pytest.param({"arch": "riscv64"}, "arch: 'riscv64' is not one of arm64, x86_64", id="an architecture that Lambda does not have"),
        pytest.param({"log_days": 31}, "log_days: 31 is not one of", id="a retention that CloudWatch does not have"),
        pytest.param({"domain_name": "a.example"}, "must be set together", id="a domain name without a certificate"),
        pytest.param({"certificate_arn": CERTIFICATE}, "must be set together", id="a certificate without a domain name"),
        pytest.param(
            {"domain_name": "a.example", "certificate_arn": CERTIFICATE.replace("us-east-1", "eu-west-1")},
            "only accepts certificates in us-east-1",
            id="a certificate in another region",
        ),
    ],
)
def test_an_invalid_value_is_refused_with_a_message(context: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config.from_context(context)
