"""Who hears of an alarm."""

from aws_cdk import Stack, aws_cloudwatch, aws_cloudwatch_actions, aws_iam, aws_sns, aws_sns_subscriptions
from constructs import Construct

from infra.config import Config
from infra.nag_acknowledgements import acknowledge


class Notifications(Construct):
    """The topics that alarms notify: one with the e-mail address of the configuration, and the operator's own one in this region."""

    def __init__(self, scope: Construct, name: str, *, config: Config, region: str) -> None:
        """Create the topic if there is an address; `region` is that of the stack, or empty if it is not known."""
        super().__init__(scope, name)
        self.topics: list[aws_sns.ITopic] = []
        if config.alarm_email:
            self.topics.append(self._topic(config.alarm_email))
        # An alarm can only notify a topic in its own region.
        if config.alarm_topic_arn and (not region or f":{region}:" in config.alarm_topic_arn):
            self.topics.append(aws_sns.Topic.from_topic_arn(self, "Own", config.alarm_topic_arn))

    def notify(self, alarm: aws_cloudwatch.Alarm) -> None:
        """Tell the topics when `alarm` goes off, and when it is over."""
        for topic in self.topics:
            action = aws_cloudwatch_actions.SnsAction(topic)
            alarm.add_alarm_action(action)
            alarm.add_ok_action(action)

    def _topic(self, address: str) -> aws_sns.Topic:
        topic = aws_sns.Topic(self, "Topic", enforce_ssl=True)
        subscription = topic.add_subscription(aws_sns_subscriptions.EmailSubscription(address))
        acknowledge(subscription, {"Serverless-SNSRedrivePolicy": "An e-mail that is not delivered is not read from a queue either."})
        # A policy of one's own replaces the default one, by which the alarms of the account may publish.
        topic.add_to_resource_policy(
            aws_iam.PolicyStatement(
                principals=[aws_iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"AWS:SourceAccount": Stack.of(self).account}},
            )
        )
        return topic
