"""Where a stack is deployed to, and the names that depend on it."""

from typing import NamedTuple, Self

from aws_cdk import Aws, Environment, Names
from constructs import IConstruct

from infra.config import GLOBAL_REGION

_REGION_CHARACTERS = 16
"""The longest name of a region has 15, and a hyphen precedes it."""


def global_name(construct: IConstruct, *, longest: int) -> str:
    """Return a name for what is there once in an account, whatever the region: two stacks of one name in two regions have two."""
    return f"{Names.unique_resource_name(construct, max_length=longest - _REGION_CHARACTERS)}-{Aws.REGION}"


class Place(NamedTuple):
    """A region of an account; each is empty if it is not known at the synthesis, so that the template is for any."""

    region: str = ""
    account: str = ""

    @property
    def environment(self) -> Environment | None:
        """The place as the CDK has it; None if it is any region."""
        return Environment(region=self.region, account=self.account or None) if self.region else None

    @property
    def global_region(self) -> Self:
        """The place in us-east-1 for what CloudFront needs there."""
        return self._replace(region=GLOBAL_REGION)
