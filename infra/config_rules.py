"""The rules of a configuration: what AWS would refuse, minutes later, is refused before the synthesis, with a sentence."""

import re

from infra.config import API_GATEWAY, FRONTS, GLOBAL_REGION, LOG_DAYS, Config, ConfigError
from infra.config_limits import check_limits
from infra.packages.target import TARGETS
from transcoder.core.request.signing import encode_keys
from transcoder.errors import BadRequestError
from transcoder.settings import PREFIX, Settings

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
"""The name of a stack: AWS CloudFormation API reference, "CreateStack"."""
_TAG = re.compile(r"(?i:(?!aws:))[\w .:/+@-]{1,128}=[\w .:/=+@-]{0,256}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")
_HOSTED_ZONE = re.compile(r"Z[0-9A-Z]{1,31}")
_TOPIC_ARN = re.compile(r"arn:aws[\w-]*:sns:(?P<region>[\w-]+):\d{12}:[\w-]{1,256}")
_CERTIFICATE_ARN = re.compile(r"arn:aws[\w-]*:acm:(?P<region>[\w-]+):\d{12}:certificate/[\w-]+")
_WEB_ACL_ARN = re.compile(r"arn:aws[\w-]*:wafv2:(?P<region>[\w-]+):\d{12}:(global|regional)/webacl/[\w-]+/[\w-]+")
_SECRET_ARN = re.compile(r"arn:aws[\w-]*:secretsmanager:(?P<region>[\w-]+):\d{12}:secret:[\w/+=.@-]{1,512}-[A-Za-z0-9]{6}")
"""With the six characters that Secrets Manager adds to the name, since a permission counts for this ARN alone."""
_DOMAIN_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_HOST = re.compile(r"\*|[^\s,/@*:]+|\[[0-9a-fA-F:.]+\]")
"""One entry of the list in TRANSCODER_ALLOWED_HOSTS. An empty one would allow any host, and one with a port, or a part of *, none."""
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""S3 user guide, "Bucket naming rules". Nothing else may be part of an ARN that a permission names."""
_MAX_TIMEOUT_SECONDS = 900
"""Of any account: AWS Lambda developer guide, "Lambda quotas"."""
_MAX_RESPONSE_BYTES = 200 * 1024 * 1024
"""AWS Lambda developer guide, "Lambda quotas", for a streamed response."""
_MAX_SNAP_START_STORAGE_MIB = 512
"""AWS Lambda developer guide, "Improving startup performance with Lambda SnapStart"."""


def check(config: Config) -> None:
    """Check `config`.

    Raises:
        ConfigError: it cannot be deployed; the message says which key is the reason, and what to do.
    """
    _check_names(config)
    settings = _check_settings(config)
    _check_resources(config, settings)
    check_limits(config)
    _check_function(config)
    _check_front(config)
    _check_domain(config)
    _check_watching(config)


def _check_names(config: Config) -> None:
    if not _NAME.fullmatch(config.full_name):
        raise ConfigError(
            f"stack_name, stage: {config.full_name!r} is not a name of letters, digits and hyphens that begins with a letter."
        )
    if wrong := [tag for tag in config.tags if not _TAG.fullmatch(tag)]:
        raise ConfigError(f"tags: {wrong[0]!r} is not a tag; write name=value, and no name that begins with aws:.")
    # The names of IAM's tags differ by more than capitals: IAM API reference, "Tag".
    names = [tag.partition("=")[0].casefold() for tag in config.tags]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ConfigError(f"tags: {twice[0]!r} is there twice; for some services capitals make no difference.")
    if config.region and not _REGION.fullmatch(config.region):
        raise ConfigError(f"region: {config.region!r} is not the name of a region, such as eu-west-1.")
    if config.arch not in TARGETS:
        raise ConfigError(f"arch: {config.arch!r} is not one of {', '.join(TARGETS)}.")
    if config.log_days not in LOG_DAYS:
        raise ConfigError(f"log_days: {config.log_days} is not one of {', '.join(map(str, LOG_DAYS))}.")


def _check_function(config: Config) -> None:
    if config.timeout_seconds > _MAX_TIMEOUT_SECONDS and not config.timeout_beyond_900:
        raise ConfigError(
            f"timeout_seconds: {config.timeout_seconds} is more than {_MAX_TIMEOUT_SECONDS}, which not every account allows; if yours "
            "does, say so with timeout_beyond_900."
        )
    if config.snap_start and config.ephemeral_storage_mib > _MAX_SNAP_START_STORAGE_MIB:
        raise ConfigError(f"snap_start: it allows an ephemeral_storage_mib of at most {_MAX_SNAP_START_STORAGE_MIB}.")


def _check_settings(config: Config) -> Settings:
    if unknown := [setting for setting in config.settings if not setting.startswith(PREFIX)]:
        raise ConfigError(f"settings: {unknown[0]!r} does not begin with {PREFIX}.")
    named = [setting.partition("=")[0] for setting in config.settings]
    if twice := [name for name in named if named.count(name) > 1]:
        raise ConfigError(f"settings: {twice[0]} is there twice; leave one of them out.")
    for key, variable in (("allowed_hosts", "ALLOWED_HOSTS"), ("allowed_buckets", "ALLOWED_BUCKETS")):
        if getattr(config, key) and PREFIX + variable in named:
            raise ConfigError(f"settings: {PREFIX}{variable} says what the key {key} says, too; leave one of them out.")
    if wrong := [host for host in config.allowed_hosts if not _HOST.fullmatch(host)]:
        raise ConfigError(f"allowed_hosts: {wrong[0]!r} is not the name of a host, which includes those below it; * alone allows any.")
    try:
        settings = config.transcoder_settings
        encode_keys(settings.signing_keys)
    except BadRequestError as error:
        raise ConfigError(f"settings: {error}") from error
    if settings.allow_private:
        raise ConfigError(f"settings: {PREFIX}ALLOW_PRIVATE would let callers reach what only this function should (SECURITY.md).")
    if settings.log_text:
        raise ConfigError(f"settings: {PREFIX}LOG_TEXT: the alarms, the dashboard and the queries read the log's lines of JSON.")
    if settings.response_limit > _MAX_RESPONSE_BYTES:
        raise ConfigError(f"settings: {PREFIX}RESPONSE_LIMIT: Lambda cuts a response after {_MAX_RESPONSE_BYTES:,} bytes.")
    return settings


def _check_resources(config: Config, settings: Settings) -> None:
    """Check what AWS has and a setting names: function.py gives the function its rights on exactly these."""
    if config.bucket and (settings.bucket or settings.files_url):
        raise ConfigError("settings: TRANSCODER_BUCKET and TRANSCODER_FILES_URL are set by the stack unless bucket is false.")
    if settings.files_url.startswith("/"):
        raise ConfigError("settings: TRANSCODER_FILES_URL: the service sends no files of a bucket of your own; name an address that does.")
    if settings.files_url and not settings.bucket:
        raise ConfigError("settings: TRANSCODER_FILES_URL says how the files in TRANSCODER_BUCKET are reached, which is missing.")
    if settings.bucket and not _BUCKET_NAME.fullmatch(settings.bucket):
        raise ConfigError(f"settings: TRANSCODER_BUCKET: {settings.bucket!r} is not the name of a bucket.")
    if wrong := [name for name in settings.allowed_buckets if not _BUCKET_NAME.fullmatch(name)]:
        raise ConfigError(f"allowed_buckets: {wrong[0]!r} is not the name of a bucket.")
    if settings.signing_secret_arn and config.signing:
        raise ConfigError("settings: TRANSCODER_SIGNING_SECRET_ARN names a secret, and signing makes another one; leave one of them out.")
    _check_arn("settings: TRANSCODER_SIGNING_SECRET_ARN", settings.signing_secret_arn, _SECRET_ARN, region=config.region)


def _check_front(config: Config) -> None:
    if config.front not in FRONTS:
        raise ConfigError(f"front: {config.front!r} is not one of {', '.join(FRONTS)}.")
    if config.web_acl_arn and config.rate_limit:
        raise ConfigError("rate_limit: it makes a web ACL, and web_acl_arn names another one; put the rule into that, or leave it out.")
    if config.front != API_GATEWAY:
        _check_arn("web_acl_arn", config.web_acl_arn, _WEB_ACL_ARN)
        if ":regional/" in config.web_acl_arn:
            raise ConfigError("web_acl_arn: CloudFront needs a web ACL of scope CLOUDFRONT, and this one is regional.")
        return
    if config.info_cache_seconds != Config().info_cache_seconds:
        raise ConfigError("info_cache_seconds: only CloudFront caches; a REST API that streams does not.")
    if config.traffic_alarm_gb:
        raise ConfigError("traffic_alarm_gb: only CloudFront counts bytes; with front api-gateway use monthly_budget_dollars.")
    if ":global/" in config.web_acl_arn:
        raise ConfigError("web_acl_arn: with front api-gateway it must be a regional web ACL, and this one is for CloudFront.")
    _check_arn("web_acl_arn", config.web_acl_arn, _WEB_ACL_ARN, region=config.region)
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
    if config.monthly_budget_dollars and not config.alarm_email:
        raise ConfigError("monthly_budget_dollars: AWS Budgets has nobody to write to; set alarm_email.")


def _check_arn(name: str, value: str, form: re.Pattern[str], *, region: str = "") -> None:
    """Check an ARN if there is one; with `region`, that it is in that region."""
    if not value:
        return
    match = form.fullmatch(value)
    if match is None:
        raise ConfigError(f"{name}: {value!r} is not such an ARN.")
    if region and match["region"] != region:
        raise ConfigError(f"{name}: it is in {match['region']}, and has to be in {region}.")
