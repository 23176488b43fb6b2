"""How much a configuration may hold: the numbers and sizes that AWS would refuse."""

import json

from infra.config import LOG_DAYS, Config, ConfigError

_MAX_NAME_CHARACTERS = 90
"""The longest name made of it is that of the stack with the certificate, which may have CloudFormation's 128 characters."""
_MAX_TAGS = 50
"""Lambda, S3, IAM and others: API references, "TagResource"."""
_MAX_BUCKETS = 100
"""The policies of a role may have 10,240 characters in all (IAM user guide, "IAM and AWS STS quotas"), and a bucket takes up to 90."""
_MAX_ENVIRONMENT_BYTES = 4096
"""AWS Lambda developer guide, "Lambda quotas". Lambda's error quotes the variables as JSON, so that is what is measured here."""
_MAX_COMMON_NAME_CHARACTERS = 64
"""ACM API reference, "RequestCertificate", DomainName."""
_LONGEST_VALUES = {
    "TRANSCODER_BUCKET": "b" * 63,
    "TRANSCODER_FILES_URL": "/",
    "TRANSCODER_SIGNING_SECRET_ARN": "a" * 128,
    "TRANSCODER_ALLOWED_BUCKETS": "b" * 63,
}
"""What the stack itself may put into the environment, when it is deployed: names and an ARN of what it has made."""
RANGES = {
    # AWS Lambda developer guide, "Lambda quotas".
    "memory_mib": range(128, 10_240 + 1),
    "ephemeral_storage_mib": range(512, 10_240 + 1),
    # Of an account that allows more than 900 s: Lambda API reference, "CreateFunction", in its model of November 2026.
    "timeout_seconds": range(1, 1800 + 1),
    # No account has a quota of so many.
    "concurrency": range(1, 1_000_000 + 1),
    # S3 API reference, "LifecycleExpiration": an integer of 32 bits.
    "file_days": range(1, 2**31),
    # AWS WAF developer guide, "Rate-based rule high-level settings"; 100 in some regions of China.
    "rate_limit": range(10, 2_000_000_000 + 1),
    # More than either can be.
    "traffic_alarm_gb": range(1, 1_000_000_000 + 1),
    "monthly_budget_dollars": range(1, 1_000_000_000 + 1),
    # The alarm of the canary looks at twice that time, which CloudWatch allows to be a day.
    "canary_minutes": range(5, 12 * 60 + 1),
    "log_days": range(min(LOG_DAYS), max(LOG_DAYS) + 1),
    # With 0, CloudFront refuses a cache policy that names a header: CloudFront API reference, "CreateCachePolicy".
    "info_cache_seconds": range(1, 31_536_000 + 1),
}
"""What each number may be."""
MAY_BE_NONE = frozenset({"concurrency", "rate_limit", "traffic_alarm_gb", "monthly_budget_dollars", "canary_minutes"})
"""The numbers that may be 0, which stands for none."""


def check_limits(config: Config) -> None:
    """Check the numbers of `config`, and how long its lists and texts are.

    Raises:
        ConfigError: one is too small or too large; the message says which key is the reason.
    """
    for name, allowed in RANGES.items():
        _check_number(name, getattr(config, name), allowed)
    if len(config.full_name) > _MAX_NAME_CHARACTERS:
        raise ConfigError(f"stack_name, stage: the name that they make has more than {_MAX_NAME_CHARACTERS} characters.")
    most = _MAX_TAGS - bool(config.hosted_zone)  # the CDK gives the certificate a name, which is a tag
    if len(config.tags) > most:
        raise ConfigError(f"tags: these are {len(config.tags)}, and AWS allows {most}.")
    if len(config.transcoder_settings.allowed_buckets) > _MAX_BUCKETS:
        raise ConfigError(f"allowed_buckets: these are more than {_MAX_BUCKETS}, which is what the policy of the function's role can hold.")
    if config.hosted_zone and len(config.domain_name) > _MAX_COMMON_NAME_CHARACTERS:
        raise ConfigError(
            f"domain_name: ACM makes certificates for names of up to {_MAX_COMMON_NAME_CHARACTERS} characters; for a longer one name a "
            "certificate of your own with certificate_arn."
        )
    _check_environment(config)


def _check_number(name: str, value: int, allowed: range) -> None:
    if value in allowed or (not value and name in MAY_BE_NONE):
        return
    none = ", or 0, which makes none" if name in MAY_BE_NONE else ""
    raise ConfigError(f"{name}: {value} is not from {allowed.start:,} to {allowed.stop - 1:,}{none}.")


def environment_bytes(environment: dict[str, str]) -> int:
    """Return how much of Lambda's limit these variables take."""
    return len(json.dumps(environment, separators=(",", ":"), ensure_ascii=False).encode())


def _check_environment(config: Config) -> None:
    own, film = config.environment, _LONGEST_VALUES["TRANSCODER_ALLOWED_BUCKETS"]
    buckets = ",".join(filter(None, (own.get("TRANSCODER_ALLOWED_BUCKETS"), film)))
    size = environment_bytes({**_LONGEST_VALUES, **own, "TRANSCODER_ALLOWED_BUCKETS": buckets})
    if size > _MAX_ENVIRONMENT_BYTES:
        raise ConfigError(
            f"settings, allowed_hosts, allowed_buckets: with what the stack adds, the function's environment has {size:,} bytes, and "
            f"Lambda allows {_MAX_ENVIRONMENT_BYTES:,}; shorten the longest."
        )
