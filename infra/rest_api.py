"""A REST API of API Gateway with response streaming, where Function URLs are forbidden."""

from aws_cdk import Duration, aws_apigateway, aws_route53_targets, aws_wafv2
from constructs import Construct

from infra.config import Config
from infra.domain import Given, add_records
from infra.function import TranscoderFunction
from infra.nag_acknowledgements import acknowledge
from transcoder.core.answer.cors import Cors

_STAGE = "prod"
_METHODS = ("GET", "HEAD")
_REQUESTS_PER_SECOND, _BURST = 50, 100
"""For all callers together: anybody may call the API."""


class RestApi(Construct):
    """A REST API that hands every GET and HEAD to the function, and streams what it answers."""

    def __init__(self, scope: Construct, name: str, *, config: Config, function: TranscoderFunction, given: Given) -> None:
        """Create the API in front of `function`."""
        super().__init__(scope, name)
        self._domain_name = config.domain_name
        self._api = self._make_api(config)
        integration = aws_apigateway.LambdaIntegration(
            function.entry,
            response_transfer_mode=aws_apigateway.ResponseTransferMode.STREAM,
            timeout=Duration.seconds(config.timeout_seconds),
            allow_test_invoke=False,
        )
        for resource in (self._api.root, self._api.root.add_resource("{proxy+}")):
            for method in _METHODS:
                acknowledge(resource.add_method(method, integration), _METHOD_FINDINGS)
        if given.certificate:
            self._add_domain(config, given)
        if given.web_acl_arn:
            aws_wafv2.CfnWebACLAssociation(self, "WebAcl", resource_arn=self._api.deployment_stage.stage_arn, web_acl_arn=given.web_acl_arn)
        acknowledge(self._api, _API_FINDINGS)
        acknowledge(self._api.deployment_stage, _stage_findings(given))

    @property
    def url(self) -> str:
        """The URL for callers, without a path of the function."""
        return f"https://{self._domain_name}" if self._domain_name else self._api.url.removesuffix("/")

    @property
    def outputs(self) -> dict[str, tuple[str, str]]:
        """The outputs of the stack that only this front has, with their descriptions."""
        outputs = {"RestApiId": (self._api.rest_api_id, "The REST API in front of the function")}
        if self._api.domain_name:
            target = self._api.domain_name.domain_name_alias_domain_name
            outputs["DomainTarget"] = (target, "The API's name, which a DNS record of your own domain name points to")
        return outputs

    def _make_api(self, config: Config) -> aws_apigateway.RestApi:
        cors = Cors()
        api = aws_apigateway.RestApi(
            self,
            "Api",
            rest_api_name=config.full_name,
            endpoint_configuration=aws_apigateway.EndpointConfiguration(types=[aws_apigateway.EndpointType.REGIONAL]),
            # The role would be set for all APIs of the account.
            cloud_watch_role=False,
            disable_execute_api_endpoint=bool(config.domain_name),
            deploy_options=aws_apigateway.StageOptions(
                stage_name=_STAGE, throttling_rate_limit=_REQUESTS_PER_SECOND, throttling_burst_limit=_BURST
            ),
            default_cors_preflight_options=aws_apigateway.CorsOptions(
                allow_origins=list(cors.allow_origins),
                allow_methods=list(cors.allow_methods),
                allow_headers=list(cors.allow_headers),
                max_age=Duration.seconds(cors.max_age_seconds),
            ),
        )
        api.node.try_remove_child("Endpoint")  # an output that the stack has already, and that is wrong with a domain name
        return api

    def _add_domain(self, config: Config, given: Given) -> None:
        assert given.certificate is not None  # noqa: S101  # the caller has checked
        domain = self._api.add_domain_name(
            "Domain",
            domain_name=config.domain_name,
            certificate=given.certificate,
            endpoint_type=aws_apigateway.EndpointType.REGIONAL,
            security_policy=aws_apigateway.SecurityPolicy.TLS_1_2,
        )
        if config.hosted_zone:
            add_records(self, config, aws_route53_targets.ApiGatewayDomain(domain), ipv6=False)


_METHOD_FINDINGS = {
    "AwsSolutions-APIG4": "Anybody may call the service, as through CloudFront; signing restricts it to signed links.",
    "AwsSolutions-COG4": "See AwsSolutions-APIG4.",
}
_API_FINDINGS = {"AwsSolutions-APIG2": "The function itself checks each parameter, and says what is wrong with it."}


def _stage_findings(given: Given) -> dict[str, str]:
    logged = "Each request is a line in the function's log; logs of an API need a role for the whole account."
    findings = {
        "AwsSolutions-APIG1": logged,
        "AwsSolutions-APIG6": logged,
        "Serverless-APIGWAccessLogging": logged,
        "Serverless-APIGWStructuredLogging": logged,
        "Serverless-APIGWXrayEnabled": "The metrics line has each invocation's timings.",
    }
    if not given.web_acl_arn:
        findings["AwsSolutions-APIG3"] = "A WAF web ACL has a monthly price; rate_limit makes one, and web_acl_arn names one."
    return findings
