"""The findings of cdk-nag that are left as they are, each with its reason and where it is said."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, findings: dict[str, str]) -> None:
    """Say for `construct` why a finding, by its id, is left as it is."""
    Validations.of(construct).acknowledge(*(Acknowledgment(id=finding, reason=reason) for finding, reason in findings.items()))
