"""Acknowledgements of cdk-nag findings, each with the reason for not acting on it."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, findings: dict[str, str]) -> None:
    """Acknowledge findings on `construct`; `findings` maps rule ids to reasons."""
    Validations.of(construct).acknowledge(*(Acknowledgment(id=finding, reason=reason) for finding, reason in findings.items()))
