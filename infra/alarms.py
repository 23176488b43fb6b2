"""The CloudWatch alarms that notify the operator."""

from collections.abc import Sequence

from aws_cdk import Duration, aws_cloudwatch
from constructs import Construct

from infra.config import Config
from infra.function import TranscoderFunction
from infra.notifications import Notifications
from transcoder.core.answer.metrics import NAMESPACE
from transcoder.errors import TranscodeError, TranscoderError

_PERIOD = Duration.minutes(5)
_DURATION_THRESHOLD = 0.8
"""The alarm for long invocations is at this share of the function's timeout."""


class Alarms(Construct):
    """Alarms for crashes, for throttled requests, for invocations close to the timeout, and for failures of the transcoder itself."""

    def __init__(self, scope: Construct, name: str, *, config: Config, function: TranscoderFunction, notifications: Notifications) -> None:
        """Create the alarms for `function`, and let them notify."""
        super().__init__(scope, name)
        monitored = function.function
        # The outcome is the slug if the response had started, and the status if that could still be sent.
        outcomes = (TranscoderError.slug, TranscodeError.slug, f"http-{TranscoderError.status}")
        failures = [_invocations(outcome, monitored.function_name) for outcome in outcomes]
        self._notifications = notifications
        self._alarm("Errors", monitored.metric_errors(period=_PERIOD), 1, "The runtime crashed, or Lambda killed it at the timeout.")
        self._alarm("Throttles", monitored.metric_throttles(period=_PERIOD), 1, "No concurrency was left; callers got 429.")
        self._alarm(
            "Duration",
            monitored.metric_duration(period=_PERIOD, statistic="Maximum"),
            config.timeout_seconds * 1000 * _DURATION_THRESHOLD,
            "A video took most of the function's timeout; a longer one will be cut off.",
        )
        self._alarm(
            "Failures", _sum(failures), 1, "A video failed because of the transcoder or ffmpeg, not because of its origin or its caller."
        )

    def _alarm(self, name: str, metric: aws_cloudwatch.IMetric, threshold: float, description: str) -> None:
        alarm = aws_cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=aws_cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=aws_cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )
        self._notifications.notify(alarm)


def _invocations(outcome: str, function_name: str) -> aws_cloudwatch.Metric:
    """Count the invocations that ended with `outcome`, by the metrics line that each writes to the log."""
    return aws_cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name="total_ms",
        dimensions_map={"function": function_name, "outcome": outcome},
        statistic="SampleCount",
        period=_PERIOD,
    )


def _sum(metrics: Sequence[aws_cloudwatch.Metric]) -> aws_cloudwatch.MathExpression:
    names = [f"m{number}" for number in range(len(metrics))]
    return aws_cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in names), using_metrics=dict(zip(names, metrics, strict=True)), period=_PERIOD
    )
