"""What belongs to a domain name: the certificate, the records, and the web ACL in front of it."""

from dataclasses import dataclass

from aws_cdk import aws_certificatemanager, aws_route53, aws_wafv2
from constructs import Construct

from infra.config import Config

_WINDOW_SECONDS = 300
CLOUDFRONT_SCOPE, REGIONAL_SCOPE = "CLOUDFRONT", "REGIONAL"


@dataclass(frozen=True, slots=True)
class Given:
    """What a front is given: the certificate of its domain name, and the ARN of its web ACL; either may be missing."""

    certificate: aws_certificatemanager.ICertificate | None = None
    web_acl_arn: str = ""


def given_for(config: Config, *, acl_scope: str, certificate_in: Construct, web_acl_in: Construct) -> Given:
    """Create what the configuration asks for, where the front needs it, or refer to what it names."""
    web_acl_arn = _rate_limit(web_acl_in, config, acl_scope).attr_arn if config.rate_limit else config.web_acl_arn
    return Given(_certificate(certificate_in, config), web_acl_arn)


def _certificate(scope: Construct, config: Config) -> aws_certificatemanager.ICertificate | None:
    if config.hosted_zone:
        validation = aws_certificatemanager.CertificateValidation.from_dns(_zone(scope, config))
        return aws_certificatemanager.Certificate(scope, "Certificate", domain_name=config.domain_name, validation=validation)
    if config.certificate_arn:
        return aws_certificatemanager.Certificate.from_certificate_arn(scope, "Certificate", config.certificate_arn)
    return None


def add_records(scope: Construct, config: Config, target: aws_route53.IAliasRecordTarget, *, ipv6: bool) -> None:
    """Let the domain name, and nothing else in its hosted zone, point to `target`, with IPv4 and, if it has that, IPv6."""
    zone, alias = _zone(scope, config), aws_route53.RecordTarget.from_alias(target)
    aws_route53.ARecord(scope, "Record", zone=zone, record_name=f"{config.domain_name}.", target=alias)
    if ipv6:
        aws_route53.AaaaRecord(scope, "RecordV6", zone=zone, record_name=f"{config.domain_name}.", target=alias)


def _zone(scope: Construct, config: Config) -> aws_route53.IHostedZone:
    # The zone's own name is not needed, because every record has its full name.
    return aws_route53.HostedZone.from_hosted_zone_attributes(
        scope, "Zone", hosted_zone_id=config.hosted_zone, zone_name=config.domain_name
    )


def _rate_limit(scope: Construct, config: Config, acl_scope: str) -> aws_wafv2.CfnWebACL:
    """Create a web ACL with one rule: an address that sends more requests than the limit in five minutes gets 403."""
    visibility = aws_wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name="RateLimit", sampled_requests_enabled=True
    )
    rate = aws_wafv2.CfnWebACL.RateBasedStatementProperty(
        limit=config.rate_limit, aggregate_key_type="IP", evaluation_window_sec=_WINDOW_SECONDS
    )
    rule = aws_wafv2.CfnWebACL.RuleProperty(
        name="RateLimit",
        priority=0,
        action=aws_wafv2.CfnWebACL.RuleActionProperty(block={}),
        statement=aws_wafv2.CfnWebACL.StatementProperty(rate_based_statement=rate),
        visibility_config=visibility,
    )
    return aws_wafv2.CfnWebACL(
        scope,
        "RateLimit",
        scope=acl_scope,
        default_action=aws_wafv2.CfnWebACL.DefaultActionProperty(allow={}),
        visibility_config=visibility,
        rules=[rule],
        description="Limits the requests of one address in five minutes",
    )
