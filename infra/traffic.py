"""The alarm on what CloudFront sends, since traffic is nine tenths of the cost."""

from aws_cdk import Duration, aws_cloudwatch
from constructs import Construct

from infra.config import GLOBAL_REGION, Config
from infra.notifications import Notifications

_GB = 1_000_000_000


def cloudfront_metric(
    distribution_id: str, name: str, *, statistic: str = "Sum", region: str | None = GLOBAL_REGION
) -> aws_cloudwatch.Metric:
    """Return a metric of a distribution, by the hour. CloudWatch keeps it in us-east-1; an alarm there names no `region`."""
    return aws_cloudwatch.Metric(
        namespace="AWS/CloudFront",
        metric_name=name,
        dimensions_map={"DistributionId": distribution_id, "Region": "Global"},
        statistic=statistic,
        period=Duration.hours(1),
        region=region,
    )


def add_traffic_alarm(scope: Construct, *, config: Config, distribution_id: str, notifications: Notifications) -> None:
    """Create the alarm in `scope`, which is in us-east-1."""
    alarm = aws_cloudwatch.Alarm(
        scope,
        "Traffic",
        metric=cloudfront_metric(distribution_id, "BytesDownloaded", region=None),
        threshold=config.traffic_alarm_gb * _GB,
        evaluation_periods=1,
        comparison_operator=aws_cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=aws_cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=f"CloudFront sent {config.traffic_alarm_gb} GB or more in an hour, and traffic is nine tenths of the cost.",
    )
    notifications.notify(alarm)
