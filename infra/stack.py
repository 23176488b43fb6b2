"""All that is on AWS, in one stack: the function, its keys if links are signed, CloudFront before it, and the alarms.

A bucket for finished films would be a construct of its own here, beside the keys: with its name in the function's environment, and in the
function's role the right to put objects into it.
"""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.alarms import Alarms
from infra.config import Config
from infra.distribution import Distribution
from infra.function import Packages, TranscoderFunction
from infra.signing_keys import SigningKeys


class TranscoderStack(Stack):
    """The deployment that `config` describes."""

    def __init__(self, scope: Construct, *, config: Config, packages: Packages) -> None:
        """Describe it; `packages` are the zips for its architecture."""
        super().__init__(scope, config.stack_name, description="HLS playlists as MP4 files, streamed while they are made")
        function = TranscoderFunction(self, "Transcoder", config=config, packages=packages)
        if config.signing:
            SigningKeys(self, "SigningKeys", reader=function)
        distribution = Distribution(self, "Front", config=config, function=function)
        Alarms(self, "Alarms", config=config, function=function)
        CfnOutput(self, "Address", value=distribution.address, description="Where films are asked for: /download?url=…")
        CfnOutput(
            self, "LogGroup", value=function.log.log_group_name, description="The function's log, with a line of metrics for each film"
        )
