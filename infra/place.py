"""Where a stack is deployed to."""

from typing import NamedTuple, Self

from aws_cdk import Environment

from infra.config import GLOBAL_REGION


class Place(NamedTuple):
    """A region of an account; each is empty if it is not known at the synthesis, so that the template is for any."""

    region: str = ""
    account: str = ""
    cross_region: bool = False
    """Whether there are stacks beside this one in another region."""

    @property
    def environment(self) -> Environment | None:
        """The place as the CDK has it; None if it is any region."""
        return Environment(region=self.region, account=self.account or None) if self.region else None

    @property
    def global_region(self) -> Self:
        """The place in us-east-1 for what CloudFront needs there."""
        return self._replace(region=GLOBAL_REGION)
