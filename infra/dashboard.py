"""The dashboard: what is asked for, how it ends, how long it takes, and what it costs."""

from collections.abc import Sequence

from aws_cdk import Aws, Duration, aws_cloudwatch
from constructs import Construct

from infra.canary import Canary
from infra.config import Config
from infra.distribution import Distribution
from infra.function import TranscoderFunction
from infra.queries import QUERIES
from transcoder.core.answer.metrics import NAMESPACE

_PERIOD = Duration.minutes(5)
_WIDTH = 8
"""A third of the dashboard."""


class Dashboard(Construct):
    """A dashboard of the stack. The dashboards of an account have their names in common, whatever the region."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        function: TranscoderFunction,
        distribution: Distribution | None,
        canary: Canary | None,
    ) -> None:
        """Create the dashboard; `distribution` is None if another front is used."""
        super().__init__(scope, name)
        self._function = function.function
        rows = [self._invocations(), self._responses()]
        rows += [_traffic(distribution)] if distribution else []
        rows += [[_graph("Canary", [canary.function.metric_invocations(), canary.function.metric_errors()])]] if canary else []
        rows.append([_failures(function)])
        self._dashboard = aws_cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"{config.full_name}-{Aws.REGION}", widgets=rows)

    @property
    def url(self) -> str:
        """The address of the dashboard in the console."""
        return f"https://{Aws.REGION}.console.aws.amazon.com/cloudwatch/home?region={Aws.REGION}#dashboards:name={self._dashboard.dashboard_name}"

    def _invocations(self) -> list[aws_cloudwatch.IWidget]:
        function = self._function
        counts = [each(period=_PERIOD) for each in (function.metric_invocations, function.metric_errors, function.metric_throttles)]
        at_once = function.metric("ConcurrentExecutions", statistic="Maximum", period=_PERIOD)
        return [_graph("Invocations", counts), _graph("Videos at once", [at_once]), self._by_outcome()]

    def _responses(self) -> list[aws_cloudwatch.IWidget]:
        sent = [self._own("bytes", "Sum")]
        first_byte = [self._own("first_byte_ms", statistic) for statistic in ("p50", "p95")]
        whole = [self._own("total_ms", statistic) for statistic in ("p50", "p95", "Maximum")]
        return [_graph("Bytes sent by the function", sent), _graph("First byte (ms)", first_byte), _graph("Whole response (ms)", whole)]

    def _own(self, name: str, statistic: str) -> aws_cloudwatch.Metric:
        dimensions = {"function": self._function.function_name}
        return aws_cloudwatch.Metric(namespace=NAMESPACE, metric_name=name, dimensions_map=dimensions, statistic=statistic, period=_PERIOD)

    def _by_outcome(self) -> aws_cloudwatch.IWidget:
        wanted = f'{{{NAMESPACE},function,outcome}} MetricName="total_ms" function="{self._function.function_name}"'
        search = f"SEARCH('{wanted}', 'SampleCount', {_PERIOD.to_seconds():.0f})"
        return _graph("Outcomes", [aws_cloudwatch.MathExpression(expression=search, using_metrics={}, label="", period=_PERIOD)])


def _traffic(distribution: Distribution) -> list[aws_cloudwatch.IWidget]:
    rates = [distribution.metric(name, statistic="Average") for name in ("4xxErrorRate", "5xxErrorRate")]
    return [
        _graph("CloudFront: bytes to viewers", [distribution.metric("BytesDownloaded")]),
        _graph("CloudFront: requests", [distribution.metric("Requests")]),
        _graph("CloudFront: errors (%)", rates),
    ]


def _failures(function: TranscoderFunction) -> aws_cloudwatch.IWidget:
    return aws_cloudwatch.LogQueryWidget(
        title="What failed",
        log_group_names=[function.log.log_group_name],
        query_lines=QUERIES["what failed"].split(" | "),
        width=3 * _WIDTH,
    )


def _graph(title: str, metrics: Sequence[aws_cloudwatch.IMetric]) -> aws_cloudwatch.IWidget:
    return aws_cloudwatch.GraphWidget(title=title, left=list(metrics), width=_WIDTH)
