"""The configuration of a deployment, read from the context in cdk.json."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from infra.packages.target import TARGETS
from transcoder.errors import BadRequestError
from transcoder.settings import PREFIX, Settings

LOG_DAYS = (1, 7, 14, 30, 90, 365)
"""The supported log retentions in days; CloudWatch has a few more."""
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""S3 user guide, "Bucket naming rules". Nothing else may be part of an ARN that a permission names."""


class ConfigError(Exception):
    """The context has an unknown key or an invalid value; the message says which."""


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of a deployment. Every field is a key of `transcoder` in the context in cdk.json."""

    stack_name: str = "Transcoder"
    arch: str = "arm64"
    """`arm64`, which costs a fifth less, or `x86_64`; `--context arch=…` overrides it."""
    memory_mib: int = 1024
    """The function's memory. Its share of CPU is proportional: 1769 MiB give one vCPU."""
    timeout_seconds: int = 900
    """The function's timeout, at which Lambda kills an invocation; Lambda's maximum is 900."""
    ephemeral_storage_mib: int = 512
    """The size of /tmp, where plain MP4s are made that do not go into the bucket; 512 are free."""
    concurrency: int = 10
    """The reserved concurrency: how many videos can be made at once; further requests get 429. It limits what an hour can cost."""
    allowed_hosts: tuple[str, ...] = ()
    """The only hosts that sources may be on; empty means those of Reddit, and `*` in the list means any public host."""
    allowed_buckets: tuple[str, ...] = ()
    """S3 buckets whose objects are served as sources (`s3://bucket/key`); the function may read them."""
    bucket: bool = True
    """Create a bucket for finished files and for the indexes of plain MP4s."""
    file_days: int = 1
    """How many days the bucket keeps a finished file, at least; S3 deletes it at the following midnight (UTC)."""
    settings: tuple[str, ...] = ()
    """Other settings of the transcoder, each in the form of `docs/settings.md`: `TRANSCODER_ATTEMPTS=2`."""
    signing: bool = False
    """Serve only signed links. The keys are stored in Secrets Manager."""
    domain_name: str = ""
    """The domain name of the distribution; empty means the one that CloudFront assigns."""
    certificate_arn: str = ""
    """The ARN of the domain name's ACM certificate, in us-east-1."""
    web_acl_arn: str = ""
    """The ARN of a WAF web ACL for CloudFront; empty means none."""
    alarm_topic_arn: str = ""
    """The ARN of an SNS topic that alarms notify; empty means that alarms are only displayed."""
    log_days: int = 30
    """The log retention: 1, 7, 14, 30, 90 or 365."""
    info_cache_seconds: int = 60
    """How long CloudFront may cache a response of /info."""

    @classmethod
    def from_context(cls, context: Mapping[str, object], *, arch: str | None = None) -> Self:
        """Parse `transcoder` in the context; `arch` overrides its value.

        Raises:
            ConfigError: a key is unknown, or a value is invalid.
        """
        known = {field.name: field for field in fields(cls)}
        values: dict[str, object] = {}
        for name, value in {**context, **({"arch": arch} if arch else {})}.items():
            if name not in known:
                raise ConfigError(f"transcoder.{name} is not a known key; the keys are {', '.join(known)}.")
            values[name] = _value(name, value, known[name].type)
        config = cls(**values)  # type: ignore[arg-type]  # each value has its field's type
        config._check()
        return config

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of the function."""
        hosts = {"TRANSCODER_ALLOWED_HOSTS": ",".join(self.allowed_hosts)} if self.allowed_hosts else {}
        buckets = {"TRANSCODER_ALLOWED_BUCKETS": ",".join(self.allowed_buckets)} if self.allowed_buckets else {}
        settings = dict(setting.partition("=")[::2] for setting in self.settings)
        own = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/transcoder-wrapper", "TRANSCODER_FFMPEG": "/opt/bin/ffmpeg"}
        return {**own, **hosts, **buckets, **settings}

    @property
    def readable_buckets(self) -> tuple[str, ...]:
        """The buckets that sources may be in, whether a key or a setting names them."""
        return Settings.from_env(self.environment).allowed_buckets

    @property
    def publishes_files(self) -> bool:
        """Whether the distribution sends finished files to anyone who knows their address. Not if links are signed: these expire."""
        settings = Settings.from_env(self.environment)
        return self.bucket and not (self.signing or settings.signing_keys or settings.signing_secret_arn)

    def _check(self) -> None:
        if unknown := [setting for setting in self.settings if not setting.startswith(PREFIX)]:
            raise ConfigError(f"settings: {unknown[0]!r} does not begin with {PREFIX}.")
        try:
            settings = Settings.from_env(self.environment)
        except BadRequestError as error:
            raise ConfigError(f"settings: {error}") from error
        self._check_buckets(settings)
        if self.arch not in TARGETS:
            raise ConfigError(f"arch: {self.arch!r} is not one of {', '.join(TARGETS)}.")
        if self.log_days not in LOG_DAYS:
            raise ConfigError(f"log_days: {self.log_days} is not one of {', '.join(map(str, LOG_DAYS))}.")
        if bool(self.domain_name) != bool(self.certificate_arn):
            raise ConfigError("domain_name and certificate_arn must be set together.")
        if self.certificate_arn and ":us-east-1:" not in self.certificate_arn:
            raise ConfigError("certificate_arn: CloudFront only accepts certificates in us-east-1.")

    def _check_buckets(self, settings: Settings) -> None:
        if self.bucket and (settings.bucket or settings.files_url):
            raise ConfigError("settings: TRANSCODER_BUCKET and TRANSCODER_FILES_URL are set by the stack unless bucket is false.")
        if self.file_days < 1:
            raise ConfigError(f"file_days: {self.file_days} is not 1 or more.")
        if wrong := [name for name in settings.allowed_buckets if not _BUCKET_NAME.fullmatch(name)]:
            raise ConfigError(f"allowed_buckets: {wrong[0]!r} is not the name of a bucket.")


def _value(name: str, value: object, expected: object) -> object:
    """Return `value` with the type of its field; `expected` is one of the field types of `Config`."""
    if expected == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
    # In Python a bool is an int; here it is not.
    elif isinstance(expected, type) and isinstance(value, expected) and (expected is bool or not isinstance(value, bool)):
        return value
    raise ConfigError(f"{name}: {value!r} does not have the type that this key requires.")
