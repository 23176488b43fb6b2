"""The function with its code, the layer with ffmpeg, its log group, and its role, which may write that log and use what settings name."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy, Size, aws_iam, aws_lambda, aws_logs
from constructs import Construct

from infra.config import LOG_DAYS, Config
from infra.nag_acknowledgements import acknowledge
from infra.permissions import bucket_arn, keep_files, keep_files_findings, read_objects, read_secret
from transcoder.settings import Settings

RUNTIME = aws_lambda.Runtime.PYTHON_3_13
ARCHITECTURES = {"arm64": aws_lambda.Architecture.ARM_64, "x86_64": aws_lambda.Architecture.X86_64}
_RETENTION = dict(
    zip(
        LOG_DAYS,
        (
            aws_logs.RetentionDays.ONE_DAY,
            aws_logs.RetentionDays.ONE_WEEK,
            aws_logs.RetentionDays.TWO_WEEKS,
            aws_logs.RetentionDays.ONE_MONTH,
            aws_logs.RetentionDays.THREE_MONTHS,
            aws_logs.RetentionDays.ONE_YEAR,
        ),
        strict=True,
    )
)


def log_group(scope: Construct, config: Config) -> aws_logs.LogGroup:
    """Create a log group that is deleted with the stack."""
    return aws_logs.LogGroup(scope, "Log", retention=_RETENTION[config.log_days], removal_policy=RemovalPolicy.DESTROY)


@dataclass(frozen=True, slots=True)
class Packages:
    """The files to deploy."""

    function: Path
    layer: Path
    film: Path
    """The film that the canary fetches, which is no zip."""


class TranscoderFunction(Construct):
    """A function on the managed Python runtime that runs the transcoder's own runtime, because the managed one cannot stream responses."""

    def __init__(self, scope: Construct, name: str, *, config: Config, packages: Packages) -> None:
        """Create the function with the configuration and the packages."""
        super().__init__(scope, name)
        self.log = log_group(self, config)
        self.role = aws_iam.Role(self, "Role", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log.grant_write(self.role)
        self._grant_what_settings_name(config.transcoder_settings)
        self.function = self._function(config, packages)
        self.entry: aws_lambda.IFunction = self._alias() if config.snap_start else self.function
        """What the front invokes: the function, or the alias of its version with a snapshot."""
        acknowledge(
            self.function,
            {
                "AwsSolutions-L1": "The package contains modules compiled by Python 3.13; a newer runtime needs a new package.",
                "Serverless-LambdaLatestVersion": "See AwsSolutions-L1.",
                "Serverless-LambdaTracing": "Tracing needs permissions on all resources; the metrics line has each invocation's timings.",
                "Serverless-LambdaDLQ": "The function is only invoked synchronously, through its URL: no event can be lost.",
            },
        )

    def _grant_what_settings_name(self, settings: Settings) -> None:
        """Let the function use what AWS has and a setting names: config_rules.py checks that each is one that is granted here."""
        if settings.allowed_buckets:
            self.role.add_to_policy(read_objects([f"{bucket_arn(bucket)}/*" for bucket in settings.allowed_buckets]))
        for bucket in settings.allowed_buckets:
            finding = f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::{bucket}/*]"
            acknowledge(self.role, {finding: "Callers name the objects; the operator has named the bucket."})
        if settings.bucket:
            for statement in keep_files(bucket_arn(settings.bucket)):
                self.role.add_to_policy(statement)
            acknowledge(self.role, keep_files_findings(f"arn:<AWS::Partition>:s3:::{settings.bucket}"))
        if settings.signing_secret_arn:
            self.role.add_to_policy(read_secret(settings.signing_secret_arn))

    def _alias(self) -> aws_lambda.Alias:
        return aws_lambda.Alias(self, "Live", alias_name="live", version=self.function.current_version)

    def _function(self, config: Config, packages: Packages) -> aws_lambda.Function:
        architecture = ARCHITECTURES[config.arch]
        layer = aws_lambda.LayerVersion(
            self,
            "Ffmpeg",
            code=aws_lambda.Code.from_asset(str(packages.layer)),
            compatible_architectures=[architecture],
            description="ffmpeg from the package imageio-ffmpeg; its licence, manifest and source location are in /opt/share/ffmpeg",
            license="GPL-3.0-or-later",
        )
        return aws_lambda.Function(
            self,
            "Function",
            runtime=RUNTIME,
            architecture=architecture,
            code=aws_lambda.Code.from_asset(str(packages.function)),
            layers=[layer],
            handler="transcoder.bootstrap.main",  # required, but never called: the wrapper starts the runtime
            environment=config.environment,
            memory_size=config.memory_mib,
            timeout=Duration.seconds(config.timeout_seconds),
            ephemeral_storage_size=Size.mebibytes(config.ephemeral_storage_mib),
            reserved_concurrent_executions=config.concurrency or None,
            snap_start=aws_lambda.SnapStartConf.ON_PUBLISHED_VERSIONS if config.snap_start else None,
            role=self.role,
            log_group=self.log,
            description="Turns an HLS playlist into one MP4, and streams it while making it",
        )
