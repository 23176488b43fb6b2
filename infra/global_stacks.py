"""What CloudFront needs in us-east-1, for a stack in another region: its certificate and web ACL before, the alarm on its bytes after.

Each is in a stack of its own (global_names.py). Values go from stack to stack as outputs, which CloudFormation reads when it deploys the
stack that uses them: weak references, without a function, a role or a parameter.
"""

from typing import NamedTuple

from aws_cdk import CrossStackReferences, ReferenceStrength, Stack
from constructs import Construct

from infra.config import GLOBAL_REGION, Config
from infra.distribution import Distribution
from infra.global_names import CERTIFICATE, TRAFFIC, WEB_ACL, certificate_stack, description, traffic_stack, web_acl_stack
from infra.notifications import Notifications
from infra.place import Place
from infra.tags import add_tags
from infra.traffic import add_traffic_alarm


def read_outputs_of_others(stack: Stack) -> None:
    """Let `stack` read values of stacks in other regions from their outputs."""
    CrossStackReferences.of(stack).consume(ReferenceStrength.WEAK)


class FrontStacks(NamedTuple):
    """The stacks that make what a front is given; None where there is none, and the front's own stack makes it."""

    certificate: Stack | None = None
    web_acl: Stack | None = None


def add_front_stacks(scope: Construct, config: Config, place: Place) -> FrontStacks:
    """Add the stacks that make the certificate and the web ACL for a front in `place`, as far as the configuration asks for them."""
    certificate, web_acl = certificate_stack(config, place.region), web_acl_stack(config, place.region)
    return FrontStacks(
        _global_stack(scope, certificate, CERTIFICATE, config, place) if config.hosted_zone else None,
        _global_stack(scope, web_acl, WEB_ACL, config, place) if config.rate_limit else None,
    )


def add_traffic_stack(scope: Construct, config: Config, place: Place, distribution: Distribution) -> None:
    """Add the stack with the alarm on what `distribution` sends, whose stack is in `place`."""
    stack = _global_stack(scope, traffic_stack(config, place.region), TRAFFIC, config, place)
    notifications = Notifications(stack, "Notifications", config=config, region=GLOBAL_REGION)
    add_traffic_alarm(stack, config=config, distribution_id=distribution.distribution.distribution_id, notifications=notifications)


def _global_stack(scope: Construct, name: str, what: str, config: Config, place: Place) -> Stack:
    stack = Stack(scope, name, description=description(what, config, place.region), env=place.global_region.environment)
    read_outputs_of_others(stack)
    add_tags(stack, config)
    return stack
