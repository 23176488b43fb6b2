"""The rules of a configuration: what AWS would refuse, minutes later, is refused before the synthesis, with a sentence."""

import re

from infra.config import API_GATEWAY, FRONTS, GLOBAL_REGION, LOG_DAYS, Config, ConfigError
from infra.packages.target import TARGETS
from transcoder.errors import BadRequestError
from transcoder.settings import PREFIX, Settings

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
"""The name of a stack: AWS CloudFormation API reference, "CreateStack"."""
_MAX_NAME_CHARACTERS = 100
"""Shorter than CloudFormation's 128, since names of other things begin with it."""
_TAG = re.compile(r"(?!aws:)[\w .:/+@-]{1,128}=[\w .:/=+@-]{0,256}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")
_HOSTED_ZONE = re.compile(r"Z[0-9A-Z]{1,31}")
_TOPIC_ARN = re.compile(r"arn:aws[\w-]*:sns:(?P<region>[\w-]+):\d{12}:[\w-]{1,256}")
_CERTIFICATE_ARN = re.compile(r"arn:aws[\w-]*:acm:(?P<region>[\w-]+):\d{12}:certificate/[\w-]+")
_WEB_ACL_ARN = re.compile(r"arn:aws[\w-]*:wafv2:(?P<region>[\w-]+):\d{12}:(global|regional)/webacl/[\w-]+/[\w-]+")
_DOMAIN_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""S3 user guide, "Bucket naming rules". Nothing else may be part of an ARN that a permission names."""
_MEMORY_MIB = range(128, 10_240 + 1)
_STORAGE_MIB = range(512, 10_240 + 1)
"""AWS Lambda developer guide, "Lambda quotas"."""
_MAX_TIMEOUT_SECONDS, _MAX_LONG_TIMEOUT_SECONDS = 900, 1800
"""Of any account, and of one that allows more: Lambda API reference, "CreateFunction", in its model of November 2026."""
_MAX_SNAP_START_STORAGE_MIB = 512
"""AWS Lambda developer guide, "Improving startup performance with Lambda SnapStart"."""
_RATE_LIMIT = range(10, 2_000_000_000 + 1)
"""AWS WAF developer guide, "Rate-based rule high-level settings"; 100 in some regions of China."""
_CACHE_SECONDS = range(1, 31_536_000 + 1)
"""With 0, CloudFront refuses a cache policy that names a header: CloudFront API reference, "CreateCachePolicy"."""
_CANARY_MINUTES = range(5, 12 * 60 + 1)
"""The alarm of the canary looks at twice that time, which CloudWatch allows to be a day."""


def check(config: Config) -> None:
    """Check `config`.

    Raises:
        ConfigError: it cannot be deployed; the message says which key is the reason, and what to do.
    """
    _check_names(config)
    _check_function(config)
    settings = _check_settings(config)
    _check_buckets(config, settings)
    _check_front(config)
    _check_domain(config)
    _check_watching(config)


def _check_names(config: Config) -> None:
    if not _NAME.fullmatch(config.full_name) or len(config.full_name) > _MAX_NAME_CHARACTERS:
        raise ConfigError(
            f"stack_name, stage: {config.full_name!r} is not a name of letters, digits and hyphens that begins with a letter."
        )
    if wrong := [tag for tag in config.tags if not _TAG.fullmatch(tag)]:
        raise ConfigError(f"tags: {wrong[0]!r} is not a tag; write name=value, and no name that begins with aws:.")
    if config.region and not _REGION.fullmatch(config.region):
        raise ConfigError(f"region: {config.region!r} is not the name of a region, such as eu-west-1.")
    if config.arch not in TARGETS:
        raise ConfigError(f"arch: {config.arch!r} is not one of {', '.join(TARGETS)}.")
    if config.log_days not in LOG_DAYS:
        raise ConfigError(f"log_days: {config.log_days} is not one of {', '.join(map(str, LOG_DAYS))}.")


def _check_function(config: Config) -> None:
    _check_range("memory_mib", config.memory_mib, _MEMORY_MIB)
    _check_range("ephemeral_storage_mib", config.ephemeral_storage_mib, _STORAGE_MIB)
    longest = _MAX_LONG_TIMEOUT_SECONDS if config.timeout_beyond_900 else _MAX_TIMEOUT_SECONDS
    _check_range("timeout_seconds", config.timeout_seconds, range(1, _MAX_LONG_TIMEOUT_SECONDS + 1))
    if config.timeout_seconds > longest:
        raise ConfigError(
            f"timeout_seconds: {config.timeout_seconds} is more than {longest}, which not every account allows; if yours does, say so with "
            "timeout_beyond_900."
        )
    if config.concurrency < 0:
        raise ConfigError(f"concurrency: {config.concurrency} is less than 0, which reserves none.")
    if config.snap_start and config.ephemeral_storage_mib > _MAX_SNAP_START_STORAGE_MIB:
        raise ConfigError(f"snap_start: it allows an ephemeral_storage_mib of at most {_MAX_SNAP_START_STORAGE_MIB}.")


def _check_settings(config: Config) -> Settings:
    if unknown := [setting for setting in config.settings if not setting.startswith(PREFIX)]:
        raise ConfigError(f"settings: {unknown[0]!r} does not begin with {PREFIX}.")
    named = {setting.partition("=")[0] for setting in config.settings}
    for key, variable in (("allowed_hosts", "ALLOWED_HOSTS"), ("allowed_buckets", "ALLOWED_BUCKETS")):
        if getattr(config, key) and PREFIX + variable in named:
            raise ConfigError(f"settings: {PREFIX}{variable} says what the key {key} says, too; leave one of them out.")
    try:
        return Settings.from_env(config.environment)
    except BadRequestError as error:
        raise ConfigError(f"settings: {error}") from error


def _check_buckets(config: Config, settings: Settings) -> None:
    if config.bucket and (settings.bucket or settings.files_url):
        raise ConfigError("settings: TRANSCODER_BUCKET and TRANSCODER_FILES_URL are set by the stack unless bucket is false.")
    if config.file_days < 1:
        raise ConfigError(f"file_days: {config.file_days} is not 1 or more.")
    if wrong := [name for name in settings.allowed_buckets if not _BUCKET_NAME.fullmatch(name)]:
        raise ConfigError(f"allowed_buckets: {wrong[0]!r} is not the name of a bucket.")


def _check_front(config: Config) -> None:
    if config.front not in FRONTS:
        raise ConfigError(f"front: {config.front!r} is not one of {', '.join(FRONTS)}.")
    if config.web_acl_arn and config.rate_limit:
        raise ConfigError("rate_limit: it makes a web ACL, and web_acl_arn names another one; put the rule into that, or leave it out.")
    if config.rate_limit:
        _check_range("rate_limit", config.rate_limit, _RATE_LIMIT)
    _check_range("info_cache_seconds", config.info_cache_seconds, _CACHE_SECONDS)
    _check_arn("web_acl_arn", config.web_acl_arn, _WEB_ACL_ARN)
    if config.front != API_GATEWAY:
        if ":regional/" in config.web_acl_arn:
            raise ConfigError("web_acl_arn: CloudFront needs a web ACL of scope CLOUDFRONT, and this one is regional.")
        return
    if config.info_cache_seconds != Config().info_cache_seconds:
        raise ConfigError("info_cache_seconds: only CloudFront caches; a REST API that streams does not.")
    if config.traffic_alarm_gb:
        raise ConfigError("traffic_alarm_gb: only CloudFront counts bytes; with front api-gateway use monthly_budget_dollars.")
    if ":global/" in config.web_acl_arn:
        raise ConfigError("web_acl_arn: with front api-gateway it must be a regional web ACL, and this one is for CloudFront.")
    if config.timeout_seconds > _MAX_TIMEOUT_SECONDS:
        raise ConfigError(f"timeout_seconds: a REST API streams for {_MAX_TIMEOUT_SECONDS} s at most.")


def _check_domain(config: Config) -> None:
    if config.domain_name and not _DOMAIN_NAME.fullmatch(config.domain_name):
        raise ConfigError(f"domain_name: {config.domain_name!r} is not the name of a host, such as video.example.com.")
    _check_arn("certificate_arn", config.certificate_arn, _CERTIFICATE_ARN, region=config.region if config.front == API_GATEWAY else "")
    if config.hosted_zone and not _HOSTED_ZONE.fullmatch(config.hosted_zone):
        raise ConfigError(f"hosted_zone: {config.hosted_zone!r} is not the id of a hosted zone, which begins with Z.")
    if (config.hosted_zone or config.certificate_arn) and not config.domain_name:
        raise ConfigError("domain_name: it is missing, although there is a hosted_zone or a certificate_arn.")
    if config.domain_name and not (config.hosted_zone or config.certificate_arn):
        raise ConfigError("domain_name: it needs a hosted_zone, in which the stack makes the certificate, or a certificate_arn.")
    if config.hosted_zone and config.certificate_arn:
        raise ConfigError("certificate_arn: with a hosted_zone the stack makes the certificate; leave one of them out.")
    if config.certificate_arn and config.front != API_GATEWAY and f":{GLOBAL_REGION}:" not in config.certificate_arn:
        raise ConfigError(f"certificate_arn: CloudFront only accepts certificates in {GLOBAL_REGION}.")


def _check_watching(config: Config) -> None:
    # An alarm can only notify a topic in its own region.
    _check_arn("alarm_topic_arn", config.alarm_topic_arn, _TOPIC_ARN, region=config.region)
    if config.traffic_alarm_gb and config.alarm_topic_arn and not config.alarm_email and config.region != GLOBAL_REGION:
        raise ConfigError(f"traffic_alarm_gb: its alarm is in {GLOBAL_REGION} and cannot notify alarm_topic_arn; set alarm_email.")
    if config.alarm_email and not _EMAIL.fullmatch(config.alarm_email):
        raise ConfigError(f"alarm_email: {config.alarm_email!r} is not an e-mail address.")
    if min(config.monthly_budget_dollars, config.traffic_alarm_gb) < 0:
        raise ConfigError("monthly_budget_dollars, traffic_alarm_gb: they are not less than 0, which makes none.")
    if config.monthly_budget_dollars and not config.alarm_email:
        raise ConfigError("monthly_budget_dollars: AWS Budgets has nobody to write to; set alarm_email.")
    if config.canary_minutes:
        _check_range("canary_minutes", config.canary_minutes, _CANARY_MINUTES)


def _check_arn(name: str, value: str, form: re.Pattern[str], *, region: str = "") -> None:
    """Check an ARN if there is one; with `region`, that it is in that region."""
    if not value:
        return
    match = form.fullmatch(value)
    if match is None:
        raise ConfigError(f"{name}: {value!r} is not such an ARN.")
    if region and match["region"] != region:
        raise ConfigError(f"{name}: it is in {match['region']}, and has to be in {region}.")


def _check_range(name: str, value: int, allowed: range) -> None:
    if value not in allowed:
        raise ConfigError(f"{name}: {value} is not from {allowed.start:,} to {allowed.stop - 1:,}.")
