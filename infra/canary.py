"""The canary: a function that fetches a small film through the front door on a schedule, and the alarm for a film that is not whole."""

from typing import NamedTuple

from aws_cdk import Duration, aws_cloudwatch, aws_events, aws_events_targets, aws_iam, aws_lambda, aws_s3_assets
from constructs import Construct

from infra.config import Config
from infra.function import ARCHITECTURES, RUNTIME, Packages, TranscoderFunction, log_group
from infra.nag_acknowledgements import acknowledge
from infra.notifications import Notifications
from infra.permissions import bucket_arn, read_objects, read_secret
from infra.signing_keys import SigningKeys
from transcoder.canary import ADDRESS, SOURCE

_MEMORY_MIB = 256
_TIMEOUT = Duration.seconds(90)
"""Longer than the canary itself waits for the film (transcoder/canary.py)."""
_LOST = "An event that is lost is an alarm, like a film that is not whole."
_SIGNING = ("TRANSCODER_SIGNING_KEYS", "TRANSCODER_SIGNING_SECRET_ARN")


class Service(NamedTuple):
    """What the canary calls."""

    packages: Packages
    function: TranscoderFunction
    address: str
    """The URL for callers, without a path."""
    keys: SigningKeys | None
    """The keys of signed links, if links are signed."""


class Canary(Construct):
    """A scheduled client. Its film is in the bucket of the CDK's assets, where the transcoder may read this one object alone."""

    def __init__(self, scope: Construct, name: str, *, config: Config, service: Service, notifications: Notifications) -> None:
        """Create the canary of `service`, and let its function read the film."""
        super().__init__(scope, name)
        film = aws_s3_assets.Asset(self, "Film", path=str(service.packages.film))
        self._let_read(service.function, film, config)
        self.log = log_group(self, config)
        role = aws_iam.Role(self, "Role", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log.grant_write(role)
        environment = {name: value for name, value in config.environment.items() if name in _SIGNING}
        if arn := service.keys.secret.secret_arn if service.keys else config.transcoder_settings.signing_secret_arn:
            role.add_to_policy(read_secret(arn))
            environment["TRANSCODER_SIGNING_SECRET_ARN"] = arn
        environment |= {ADDRESS: service.address, SOURCE: f"s3://{film.s3_bucket_name}/{film.s3_object_key}"}
        self.function = self._function(config, service.packages, role, environment)
        self._schedule(config)
        notifications.notify(self._alarm(config))

    def _schedule(self, config: Config) -> None:
        rule = aws_events.Rule(
            self,
            "Schedule",
            schedule=aws_events.Schedule.rate(Duration.minutes(config.canary_minutes)),
            targets=[aws_events_targets.LambdaFunction(self.function)],
        )
        acknowledge(rule, {"Serverless-EventBusDLQ": _LOST})

    def _let_read(self, function: TranscoderFunction, film: aws_s3_assets.Asset, config: Config) -> None:
        function.role.add_to_policy(read_objects([f"{bucket_arn(film.s3_bucket_name)}/{film.s3_object_key}"]))
        buckets = (*config.transcoder_settings.allowed_buckets, film.s3_bucket_name)
        function.function.add_environment("TRANSCODER_ALLOWED_BUCKETS", ",".join(buckets))

    def _function(self, config: Config, packages: Packages, role: aws_iam.Role, environment: dict[str, str]) -> aws_lambda.Function:
        function = aws_lambda.Function(
            self,
            "Function",
            runtime=RUNTIME,
            architecture=ARCHITECTURES[config.arch],
            code=aws_lambda.Code.from_asset(str(packages.function)),
            handler="transcoder.canary.handler",
            environment=environment,
            memory_size=_MEMORY_MIB,
            timeout=_TIMEOUT,
            role=role,
            log_group=self.log,
            description="Fetches a small film through the front door, and fails unless it is whole",
        )
        acknowledge(
            function,
            {
                "AwsSolutions-L1": "It is in the transcoder's own package, which has modules compiled by Python 3.13.",
                "Serverless-LambdaLatestVersion": "See AwsSolutions-L1.",
                "Serverless-LambdaTracing": "Tracing needs permissions on all resources; its log has what failed.",
                "Serverless-LambdaDLQ": _LOST,
                "Serverless-LambdaAsyncFailureDestination": _LOST,
            },
        )
        return function

    def _alarm(self, config: Config) -> aws_cloudwatch.Alarm:
        """Create the alarm. Lambda tries a failed event twice more: a film is only missing if three attempts failed, or there was none."""
        period = Duration.minutes(2 * config.canary_minutes)
        metrics = {"runs": self.function.metric_invocations(period=period), "failed": self.function.metric_errors(period=period)}
        return aws_cloudwatch.Alarm(
            self,
            "Alarm",
            metric=aws_cloudwatch.MathExpression(
                expression="FILL(runs, 0) - FILL(failed, 0)", using_metrics=metrics, period=period, label="films that arrived whole"
            ),
            threshold=1,
            evaluation_periods=1,
            comparison_operator=aws_cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            treat_missing_data=aws_cloudwatch.TreatMissingData.BREACHING,
            alarm_description="No film arrived whole through the front door; the canary's log says why.",
        )
