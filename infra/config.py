"""What can be chosen about a deployment: one frozen value, read from the context in cdk.json."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from infra.packages.target import TARGETS
from transcoder.errors import BadRequestError
from transcoder.settings import PREFIX, Settings

LOG_DAYS = (1, 7, 14, 30, 90, 365)
"""How long logs can be kept; CloudWatch knows a few more."""


class ConfigError(Exception):
    """The context asks for something that there is not; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Config:
    """A deployment. Every field is a key of the context's `transcoder` in cdk.json."""

    stack_name: str = "Transcoder"
    arch: str = "arm64"
    """`arm64`, which costs a fifth less, or `x86_64`; `--context arch=…` wins over it."""
    memory_mib: int = 1024
    """Of the function. The processor's share grows with it: 1769 MiB are one."""
    timeout_seconds: int = 900
    """After this long an invocation is killed; 900 is the most that Lambda gives."""
    ephemeral_storage_mib: int = 512
    """Of /tmp, in which next to nothing is kept; 512 cost nothing."""
    concurrency: int = 10
    """How many films are made at once, at most; further requests get 429. It bounds what an hour can cost."""
    allowed_hosts: tuple[str, ...] = ()
    """The only hosts that films may come from; empty means those of Reddit, `*` among them any public one."""
    settings: tuple[str, ...] = ()
    """Further settings of the transcoder, each as the README has it: `TRANSCODER_ATTEMPTS=2`."""
    signing: bool = False
    """Are only signed links served. Their keys are then kept in Secrets Manager."""
    domain_name: str = ""
    """The name under which the distribution is reached; empty means the one that CloudFront gives it."""
    certificate_arn: str = ""
    """Of ACM in us-east-1, for that name."""
    web_acl_arn: str = ""
    """Of a WAF ACL for CloudFront; empty means none."""
    alarm_topic_arn: str = ""
    """Of an SNS topic that hears of alarms; empty means that they are only shown."""
    log_days: int = 30
    """How long logs are kept: 1, 7, 14, 30, 90 or 365."""
    info_cache_seconds: int = 60
    """How long CloudFront keeps what /info answers."""

    @classmethod
    def from_context(cls, context: Mapping[str, object], *, arch: str | None = None) -> Self:
        """Read the context's `transcoder`; `arch` wins over what it says.

        Raises:
            ConfigError: a key is unknown, or a value is none for it.
        """
        known = {field.name: field for field in fields(cls)}
        values: dict[str, object] = {}
        for name, value in {**context, **({"arch": arch} if arch else {})}.items():
            if name not in known:
                raise ConfigError(f"transcoder.{name} is nothing that can be chosen; there are {', '.join(known)}.")
            values[name] = _value(name, value, known[name].type)
        config = cls(**values)  # type: ignore[arg-type]  # each value has its field's type
        config._check()
        return config

    @property
    def environment(self) -> dict[str, str]:
        """The function's environment."""
        hosts = {"TRANSCODER_ALLOWED_HOSTS": ",".join(self.allowed_hosts)} if self.allowed_hosts else {}
        further = dict(setting.partition("=")[::2] for setting in self.settings)
        return {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/transcoder-wrapper", "TRANSCODER_FFMPEG": "/opt/bin/ffmpeg", **hosts, **further}

    def _check(self) -> None:
        if strange := [setting for setting in self.settings if not setting.startswith(PREFIX)]:
            raise ConfigError(f"settings: {strange[0]!r} does not begin with {PREFIX}.")
        try:
            Settings.from_env(self.environment)
        except BadRequestError as error:
            raise ConfigError(f"settings: {error}") from error
        if self.arch not in TARGETS:
            raise ConfigError(f"arch: {self.arch!r} is none of {', '.join(TARGETS)}.")
        if self.log_days not in LOG_DAYS:
            raise ConfigError(f"log_days: {self.log_days} is none of {', '.join(map(str, LOG_DAYS))}.")
        if bool(self.domain_name) != bool(self.certificate_arn):
            raise ConfigError("domain_name and certificate_arn are of use only together.")
        if self.certificate_arn and ":us-east-1:" not in self.certificate_arn:
            raise ConfigError("certificate_arn: CloudFront takes certificates of us-east-1 alone.")


def _value(name: str, value: object, kind: object) -> object:
    """Give `value` the type of its field; `kind` is one of the types that `Config` has."""
    if kind == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            return tuple(value)
    # A bool is an int as well, and is none here.
    elif isinstance(kind, type) and isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise ConfigError(f"{name}: {value!r} is not of the type that it has to have.")
