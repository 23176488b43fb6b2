"""The stack: the function, its signing keys if links are signed, the CloudFront distribution, and the alarms.

A bucket for finished videos would be another construct here, beside the keys, with its name in the function's environment and the
permission to put objects into it in the function's role.
"""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.alarms import Alarms
from infra.config import Config
from infra.distribution import Distribution
from infra.function import Packages, TranscoderFunction
from infra.signing_keys import SigningKeys


class TranscoderStack(Stack):
    """The stack of a deployment."""

    def __init__(self, scope: Construct, *, config: Config, packages: Packages) -> None:
        """Create all constructs; `packages` are the zips for the architecture in `config`."""
        super().__init__(scope, config.stack_name, description="Turns HLS playlists into MP4 files, streamed while they are made")
        function = TranscoderFunction(self, "Transcoder", config=config, packages=packages)
        if config.signing:
            SigningKeys(self, "SigningKeys", reader=function)
        distribution = Distribution(self, "Front", config=config, function=function)
        Alarms(self, "Alarms", config=config, function=function)
        CfnOutput(self, "Address", value=distribution.url, description="The base URL for callers: /download?url=…")
        CfnOutput(
            self,
            "LogGroup",
            value=function.log.log_group_name,
            description="The function's log group, with a metrics line for each invocation",
        )
