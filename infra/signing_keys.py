"""The keys of signed links: kept in Secrets Manager, read by the function alone."""

from aws_cdk import RemovalPolicy, aws_iam, aws_secretsmanager
from constructs import Construct

from infra.function import TranscoderFunction
from infra.nag_acknowledgements import acknowledge


class SigningKeys(Construct):
    """A secret with one key a line, of which the first signs; it begins with one that nobody has seen."""

    def __init__(self, scope: Construct, name: str, *, reader: TranscoderFunction) -> None:
        """Make the secret, and let `reader` read it."""
        super().__init__(scope, name)
        secret = aws_secretsmanager.Secret(
            self,
            "Secret",
            description="Keys of signed links, one a line; the first signs, all are good for checking",
            generate_secret_string=aws_secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
            # Whoever takes the stack away means its links too; a secret that is kept costs, and its name is taken.
            removal_policy=RemovalPolicy.DESTROY,
        )
        reader.role.add_to_policy(aws_iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret.secret_arn]))
        reader.function.add_environment("TRANSCODER_SIGNING_SECRET_ARN", secret.secret_arn)
        acknowledge(
            secret,
            {"AwsSolutions-SMG4": "Links are signed elsewhere too: a new key is put in by hand, above the old one (docs/operating.md)."},
        )
