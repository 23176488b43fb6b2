"""What can be chosen about a deployment, and how a wrong choice is met."""

import json
from pathlib import Path

import pytest

from infra.config import Config, ConfigError
from transcoder.settings import Settings

CDK_JSON = Path(__file__).resolve().parents[2] / "infra" / "cdk.json"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


def test_what_is_not_chosen_is_as_the_class_says() -> None:
    assert Config.from_context({}) == Config()


def test_the_context_in_the_repository_chooses_nothing_else() -> None:
    assert Config.from_context(json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]["transcoder"]) == Config()


def test_choices_are_read() -> None:
    chosen = Config.from_context({"memory_mib": 2048, "allowed_hosts": ["a.example", "b.example"], "signing": True}, arch="x86_64")
    assert (chosen.memory_mib, chosen.allowed_hosts, chosen.signing, chosen.arch) == (2048, ("a.example", "b.example"), True, "x86_64")


def test_further_settings_reach_the_function() -> None:
    chosen = Config.from_context({"settings": ["TRANSCODER_ATTEMPTS=2"], "allowed_hosts": ["a.example", "b.example"]})
    settings = Settings.from_env(chosen.environment)
    assert (settings.attempts, settings.allowed_hosts, settings.ffmpeg) == (2, ("a.example", "b.example"), "/opt/bin/ffmpeg")


@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        pytest.param({"colour": "red"}, r"transcoder\.colour is nothing that can be chosen", id="an unknown key"),
        pytest.param({"memory_mib": "1024"}, "memory_mib: '1024' is not of the type", id="a text for a number"),
        pytest.param({"memory_mib": True}, "memory_mib: True is not of the type", id="yes for a number"),
        pytest.param({"signing": 1}, "signing: 1 is not of the type", id="a number for yes"),
        pytest.param({"allowed_hosts": "a.example"}, "allowed_hosts: 'a.example' is not", id="one host that is no list"),
        pytest.param({"allowed_hosts": [1]}, "allowed_hosts", id="a host that is no text"),
        pytest.param({"settings": ["TRANSCODER_COLOUR=red"]}, "TRANSCODER_COLOUR is not a setting", id="a setting that is none"),
        pytest.param({"settings": ["TRANSCODER_ATTEMPTS"]}, "'' is not a value", id="a setting without a value"),
        pytest.param({"settings": ["AWS_REGION=x"]}, "does not begin with TRANSCODER_", id="a setting of something else"),
        pytest.param({"arch": "riscv64"}, "arch: 'riscv64' is none of arm64, x86_64", id="a processor that Lambda has not"),
        pytest.param({"log_days": 31}, "log_days: 31 is none of", id="a time that CloudWatch does not know"),
        pytest.param({"domain_name": "a.example"}, "only together", id="a name without a certificate"),
        pytest.param({"certificate_arn": CERTIFICATE}, "only together", id="a certificate without a name"),
        pytest.param(
            {"domain_name": "a.example", "certificate_arn": CERTIFICATE.replace("us-east-1", "eu-west-1")},
            "us-east-1 alone",
            id="a certificate from elsewhere",
        ),
    ],
)
def test_a_wrong_choice_is_said_in_a_sentence(context: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Config.from_context(context)
