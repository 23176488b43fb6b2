"""The stacks in us-east-1 beside one in another region, by their names; and which of them a configuration needs.

Each key has a stack of its own, so that what is no longer needed can be deleted after the stack that used it has been updated.
"""

from hashlib import sha256

from infra.config import CLOUDFRONT, GLOBAL_REGION, Config

CERTIFICATE, WEB_ACL, TRAFFIC = "The certificate of CloudFront", "The web ACL of CloudFront", "The alarm on what CloudFront sends"


def description(what: str, config: Config, region: str) -> str:
    """Return how CloudFormation describes such a stack, whatever its state: by it, it is known whose it is."""
    return f"{what} for the stack {config.full_name} in {region}"


def belongs_to(described: str, config: Config, region: str) -> bool:
    """Return whether a stack that is described so belongs to the one in `region`."""
    return described in {description(what, config, region) for what in (CERTIFICATE, WEB_ACL, TRAFFIC)}


def certificate_stack(config: Config, region: str) -> str:
    """Return the name of the stack with the certificate: another for each domain name and zone, since a certificate cannot change."""
    digest = sha256(f"{config.domain_name} {config.hosted_zone}".encode()).hexdigest()[:8]
    return f"{config.full_name}-{region}-Certificate-{digest}"


def web_acl_stack(config: Config, region: str) -> str:
    """Return the name of the stack with the web ACL."""
    return f"{config.full_name}-{region}-WebAcl"


def traffic_stack(config: Config, region: str) -> str:
    """Return the name of the stack with the alarm on what CloudFront sends."""
    return f"{config.full_name}-{region}-Traffic"


def global_keys(config: Config) -> tuple[str, ...]:
    """Return the keys that need something in us-east-1."""
    keys = ("hosted_zone", "rate_limit", "traffic_alarm_gb") if config.front == CLOUDFRONT else ()
    return tuple(key for key in keys if getattr(config, key))


def needed_stacks(config: Config, region: str) -> list[str]:
    """Return the names of the stacks that the one in `region` needs beside it; in us-east-1 there are none."""
    names = {"hosted_zone": certificate_stack, "rate_limit": web_acl_stack, "traffic_alarm_gb": traffic_stack}
    return [names[key](config, region) for key in global_keys(config)] if region != GLOBAL_REGION else []
