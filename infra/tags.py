"""The tags of a stack."""

from aws_cdk import Stack, Tags

from infra.config import Config


def add_tags(stack: Stack, config: Config) -> None:
    """Tag everything in `stack` that can have tags."""
    for name, value in (tag.split("=", 1) for tag in config.tags):
        Tags.of(stack).add(name, value)
