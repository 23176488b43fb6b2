"""The Function URL, which only CloudFront may invoke, and the CloudFront distribution in front of it and of finished files."""

from aws_cdk import Duration, Stack, aws_cloudfront, aws_cloudfront_origins, aws_cloudwatch, aws_lambda, aws_route53_targets
from constructs import Construct

from infra.bucket import ServiceBucket
from infra.config import Config
from infra.domain import Given, add_records
from infra.function import TranscoderFunction
from infra.nag_acknowledgements import acknowledge
from infra.place import global_name
from infra.traffic import cloudfront_metric
from transcoder.core.answer.cors import Cors

_READ_TIMEOUT_SECONDS = 60
"""How long the function may be silent: what every account has. Documents of AWS disagree whether more needs a quota increase."""
_ACCESS_CHARACTERS, _POLICY_CHARACTERS = 64, 128
"""How long the names of an origin access control and of a policy may be: CloudFront API reference."""
_FILES_PATH = "/files/*"
PAGE_FILES = ("/assets/*", "/favicon.ico", "/manifest.webmanifest", "/robots.txt")
"""The files of the web page that a cache may keep. The page itself is revalidated at each visit."""
_UNCACHED_ERRORS = (404, 414, 500, 501, 502, 503, 504)
"""Statuses that CloudFront keeps for ten seconds unless it is told otherwise, some of them whatever Cache-Control says, and without a look
at the query string, so that one caller's failure would be everybody's.

Source: CloudFront developer guide, "Control how long CloudFront caches errors".
"""
_METHODS = {"GET": aws_lambda.HttpMethod.GET, "HEAD": aws_lambda.HttpMethod.HEAD}


class Distribution(Construct):
    """A CloudFront distribution that signs its requests. It does not cache what the function streams, and caches /info briefly."""

    def __init__(
        self, scope: Construct, name: str, *, config: Config, function: TranscoderFunction, bucket: ServiceBucket | None, given: Given
    ) -> None:
        """Create the Function URL of `function`, and the distribution, which sends the finished files in `bucket` if there is one."""
        super().__init__(scope, name)
        self._domain_name = config.domain_name
        function_url = function.entry.add_function_url(
            auth_type=aws_lambda.FunctionUrlAuthType.AWS_IAM, invoke_mode=aws_lambda.InvokeMode.RESPONSE_STREAM, cors=_cors(Cors())
        )
        access = aws_cloudfront.FunctionUrlOriginAccessControl(
            self, "FunctionAccess", origin_access_control_name=f"{global_name(self, longest=_ACCESS_CHARACTERS - 9)}-function"
        )
        origin = aws_cloudfront_origins.FunctionUrlOrigin.with_origin_access_control(
            function_url,
            origin_access_control=access,
            read_timeout=Duration.seconds(_READ_TIMEOUT_SECONDS),
            # A second attempt would start a second invocation, and its cost, beside the first.
            connection_attempts=1,
        )
        self.distribution = aws_cloudfront.Distribution(
            self,
            "Distribution",
            default_behavior=_behavior(origin, aws_cloudfront.CachePolicy.CACHING_DISABLED),
            additional_behaviors={
                "/info*": _behavior(origin, self._info_cache_policy(config.info_cache_seconds)),
                **dict.fromkeys(PAGE_FILES, _page_files_behavior(origin)),
                **({_FILES_PATH: self._files_behavior(bucket)} if bucket else {}),
            },
            error_responses=[aws_cloudfront.ErrorResponse(http_status=status, ttl=Duration.seconds(0)) for status in _UNCACHED_ERRORS],
            comment=Stack.of(self).stack_name,
            http_version=aws_cloudfront.HttpVersion.HTTP2_AND_3,
            minimum_protocol_version=aws_cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021 if config.domain_name else None,
            domain_names=[config.domain_name] if config.domain_name else None,
            certificate=given.certificate,
            web_acl_id=given.web_acl_arn or None,
        )
        for permission in self.distribution.node.find_all():
            if isinstance(permission, aws_lambda.CfnPermission):
                # The CDK names the function of the URL, and AWS does not say whether that includes the alias, which needs the permission.
                permission.function_name = function.entry.function_arn
        if bucket:
            bucket.publish_files(self.distribution, function)
        if config.hosted_zone:
            add_records(self, config, aws_route53_targets.CloudFrontTarget(self.distribution), ipv6=True)
        acknowledge(self.distribution, _findings(config, given))

    @property
    def url(self) -> str:
        """The URL for callers, without a path."""
        return f"https://{self._domain_name or self.distribution.domain_name}"

    @property
    def outputs(self) -> dict[str, tuple[str, str]]:
        """The outputs of the stack that only this front has, with their descriptions."""
        return {
            "DistributionId": (self.distribution.distribution_id, "The CloudFront distribution, for invalidations and its metrics"),
            "DistributionDomain": (
                self.distribution.domain_name,
                "CloudFront's name, which a DNS record of your own domain name points to",
            ),
        }

    def metric(self, name: str, *, statistic: str = "Sum") -> aws_cloudwatch.Metric:
        """Return a metric of the distribution, which CloudWatch keeps in us-east-1 alone."""
        return cloudfront_metric(self.distribution.distribution_id, name, statistic=statistic)

    def _info_cache_policy(self, max_seconds: int) -> aws_cloudfront.CachePolicy:
        return aws_cloudfront.CachePolicy(
            self,
            "Brief",  # whose name the CDK makes, with the region
            comment="Caches for as long as the response allows, up to the maximum",
            min_ttl=Duration.seconds(0),
            default_ttl=Duration.seconds(0),
            max_ttl=Duration.seconds(max_seconds),
            # The Function URL sends Access-Control-Allow-Origin only in response to a request with Origin.
            header_behavior=aws_cloudfront.CacheHeaderBehavior.allow_list("Origin"),
            query_string_behavior=aws_cloudfront.CacheQueryStringBehavior.all(),
        )

    def _files_behavior(self, bucket: ServiceBucket) -> aws_cloudfront.BehaviorOptions:
        access = aws_cloudfront.S3OriginAccessControl(
            self, "BucketAccess", origin_access_control_name=f"{global_name(self, longest=_ACCESS_CHARACTERS - 6)}-files"
        )
        return aws_cloudfront.BehaviorOptions(
            # Not `with_origin_access_control`, which would let the distribution read the whole bucket.
            origin=aws_cloudfront_origins.S3BucketOrigin.with_bucket_defaults(
                bucket.bucket, origin_access_control_id=access.origin_access_control_id
            ),
            # The path alone is the key of the cache: a finished file never changes.
            cache_policy=aws_cloudfront.CachePolicy.CACHING_OPTIMIZED_FOR_UNCOMPRESSED_OBJECTS,
            response_headers_policy=self._files_headers(Cors()),
            allowed_methods=aws_cloudfront.AllowedMethods.ALLOW_GET_HEAD,
            viewer_protocol_policy=aws_cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            compress=False,
        )

    def _files_headers(self, cors: Cors) -> aws_cloudfront.ResponseHeadersPolicy:
        return aws_cloudfront.ResponseHeadersPolicy(
            self,
            "FileHeaders",
            response_headers_policy_name=global_name(self, longest=_POLICY_CHARACTERS),
            comment="The headers that the function sends with a file, but S3 does not",
            cors_behavior=aws_cloudfront.ResponseHeadersCorsBehavior(
                access_control_allow_credentials=False,
                access_control_allow_origins=list(cors.allow_origins),
                access_control_allow_methods=list(cors.allow_methods),
                access_control_allow_headers=list(cors.allow_headers),
                access_control_expose_headers=list(cors.expose_headers),
                access_control_max_age=Duration.seconds(cors.max_age_seconds),
                origin_override=True,
            ),
            security_headers_behavior=aws_cloudfront.ResponseSecurityHeadersBehavior(
                content_type_options=aws_cloudfront.ResponseHeadersContentTypeOptions(override=True)
            ),
        )


def _behavior(origin: aws_cloudfront.IOrigin, policy: aws_cloudfront.ICachePolicy) -> aws_cloudfront.BehaviorOptions:
    return aws_cloudfront.BehaviorOptions(
        origin=origin,
        cache_policy=policy,
        # Everything except Host, by which Lambda finds the Function URL; all query strings, because an unencoded source URL has one.
        origin_request_policy=aws_cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        # With OPTIONS, by which a browser asks before a request with headers of its own.
        allowed_methods=aws_cloudfront.AllowedMethods.ALLOW_GET_HEAD_OPTIONS,
        viewer_protocol_policy=aws_cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        compress=False,
    )


def _page_files_behavior(origin: aws_cloudfront.IOrigin) -> aws_cloudfront.BehaviorOptions:
    """Return a behavior whose cache is asked by the path alone, so that most visits and robots do not reach the function."""
    return aws_cloudfront.BehaviorOptions(
        origin=origin,
        cache_policy=aws_cloudfront.CachePolicy.CACHING_OPTIMIZED_FOR_UNCOMPRESSED_OBJECTS,
        allowed_methods=aws_cloudfront.AllowedMethods.ALLOW_GET_HEAD,
        viewer_protocol_policy=aws_cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        compress=False,
    )


def _cors(cors: Cors) -> aws_lambda.FunctionUrlCorsOptions:
    return aws_lambda.FunctionUrlCorsOptions(
        allowed_origins=list(cors.allow_origins),
        allowed_methods=[_METHODS[method] for method in cors.allow_methods],
        allowed_headers=list(cors.allow_headers) or None,
        exposed_headers=list(cors.expose_headers),
        max_age=Duration.seconds(cors.max_age_seconds),
    )


def _findings(config: Config, given: Given) -> dict[str, str]:
    findings = {
        "AwsSolutions-CFR1": "The operator decides which countries callers may be in, with a WAF web ACL.",
        "AwsSolutions-CFR3": "Each request is a line in the function's log; a bucket for a second log has to be paid for and emptied.",
    }
    if not config.domain_name:
        findings["AwsSolutions-CFR4"] = (
            "Without a domain name the certificate is CloudFront's own, whose TLS versions cannot be configured."
        )
    if not given.web_acl_arn:
        findings["AwsSolutions-CFR2"] = "A WAF web ACL has a monthly price; rate_limit makes one, and web_acl_arn names one."
    return findings
