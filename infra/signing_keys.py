"""The keys of signed links, in Secrets Manager; only the function may read them."""

from aws_cdk import RemovalPolicy, aws_secretsmanager
from constructs import Construct

from infra.function import TranscoderFunction
from infra.nag_acknowledgements import acknowledge
from infra.permissions import read_secret


class SigningKeys(Construct):
    """A secret with one key per line, the first of which signs; its initial value is a generated key that nobody has seen."""

    def __init__(self, scope: Construct, name: str, *, reader: TranscoderFunction) -> None:
        """Create the secret, and allow `reader` to read it."""
        super().__init__(scope, name)
        self.secret = aws_secretsmanager.Secret(
            self,
            "Secret",
            description="Keys of signed links, one per line; the first signs, all verify",
            generate_secret_string=aws_secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
            # Deleting the stack is meant to invalidate its links too; a retained secret costs money and keeps its name.
            removal_policy=RemovalPolicy.DESTROY,
        )
        reader.role.add_to_policy(read_secret(self.secret.secret_arn))
        reader.function.add_environment("TRANSCODER_SIGNING_SECRET_ARN", self.secret.secret_arn)
        acknowledge(
            self.secret,
            {"AwsSolutions-SMG4": "Links are signed elsewhere too: the operator adds a new key above the old one (docs/operating.md)."},
        )
