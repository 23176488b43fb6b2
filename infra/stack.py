"""The stack: the function, its signing keys if links are signed, its bucket, the CloudFront distribution, and the alarms."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.alarms import Alarms
from infra.bucket import ServiceBucket
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
        bucket = ServiceBucket(self, "Bucket", config=config, user=function) if config.bucket else None
        distribution = Distribution(self, "Front", config=config, function=function, bucket=bucket if config.publishes_files else None)
        Alarms(self, "Alarms", config=config, function=function)
        CfnOutput(self, "Address", value=distribution.url, description="The base URL for callers: /download?url=…")
        CfnOutput(
            self,
            "LogGroup",
            value=function.log.log_group_name,
            description="The function's log group, with a metrics line for each invocation",
        )
        if bucket:
            CfnOutput(
                self,
                "BucketName",
                value=bucket.bucket.bucket_name,
                description="The bucket, which has to be empty before the stack is deleted",
            )
