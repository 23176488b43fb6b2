"""What an operator is told of, without having to look."""

from collections.abc import Sequence

from aws_cdk import Duration, aws_cloudwatch, aws_cloudwatch_actions, aws_sns
from constructs import Construct

from infra.config import Config
from infra.function import TranscoderFunction
from transcoder.core.answer.metrics import NAMESPACE
from transcoder.errors import TranscodeError, TranscoderError

_PERIOD = Duration.minutes(5)
_NEAR_THE_END = 0.8
"""This part of the time that an invocation may take is too near to its end."""


class Alarms(Construct):
    """One alarm each for crashes, for requests turned away, for invocations near their time limit, and for failures of our own making."""

    def __init__(self, scope: Construct, name: str, *, config: Config, function: TranscoderFunction) -> None:
        """Watch `function`."""
        super().__init__(scope, name)
        watched = function.function
        # By its slug where the answer had begun, by its status where that could still be sent.
        outcomes = (TranscoderError.slug, TranscodeError.slug, f"http-{TranscoderError.status}")
        ours = [_failures(outcome, watched.function_name) for outcome in outcomes]
        self._topic = aws_sns.Topic.from_topic_arn(self, "Topic", config.alarm_topic_arn) if config.alarm_topic_arn else None
        self._alarm("Errors", watched.metric_errors(period=_PERIOD), 1, "The runtime crashed, or was killed at its time limit.")
        self._alarm("Throttles", watched.metric_throttles(period=_PERIOD), 1, "All reserved environments were busy; callers got 429.")
        self._alarm(
            "Duration",
            watched.metric_duration(period=_PERIOD, statistic="Maximum"),
            config.timeout_seconds * 1000 * _NEAR_THE_END,
            "A film took most of the time that an invocation may take; a longer one will be broken off.",
        )
        self._alarm("Failures", _sum(ours), 1, "A film failed through this program or ffmpeg, not through its origin or its caller.")

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
        if self._topic is not None:
            alarm.add_alarm_action(aws_cloudwatch_actions.SnsAction(self._topic))


def _failures(outcome: str, function_name: str) -> aws_cloudwatch.Metric:
    """Count the invocations that ended in `outcome`, from the line that each writes into the log."""
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
