"""What CloudFront needs in us-east-1, for a stack in another region: its certificate and web ACL before, the alarm on its bytes after.

The values go from stack to stack through parameters in both regions (the CDK's cross-region references).
"""

from aws_cdk import Stack
from constructs import Construct

from infra.config import GLOBAL_REGION, Config
from infra.distribution import Distribution
from infra.domain import CLOUDFRONT_SCOPE, given_for
from infra.notifications import Notifications
from infra.place import Place
from infra.tags import add_tags
from infra.traffic import add_traffic_alarm


class FrontStack(Stack):
    """The certificate and the web ACL."""

    def __init__(self, scope: Construct, *, config: Config, place: Place) -> None:
        """Create what the configuration asks for; `place` is in us-east-1."""
        description = "Certificate and web ACL of CloudFront for the stack of the same name in another region"
        super().__init__(scope, f"{config.full_name}-Front", description=description, env=place.environment, cross_region_references=True)
        self.given = given_for(self, config, acl_scope=CLOUDFRONT_SCOPE)
        add_tags(self, config)


class TrafficStack(Stack):
    """The alarm on what CloudFront sends."""

    def __init__(self, scope: Construct, *, config: Config, place: Place, distribution: Distribution) -> None:
        """Create the alarm for `distribution`; `place` is in us-east-1."""
        description = "Alarm on the traffic of the stack of the same name in another region"
        super().__init__(scope, f"{config.full_name}-Traffic", description=description, env=place.environment, cross_region_references=True)
        notifications = Notifications(self, "Notifications", config=config, region=GLOBAL_REGION)
        distribution_id = distribution.distribution.distribution_id
        add_traffic_alarm(self, config=config, distribution_id=distribution_id, notifications=notifications)
        add_tags(self, config)
