"""The bucket of the service: finished files under files/, and indexes of plain MP4s under indexes/."""

from aws_cdk import Duration, RemovalPolicy, Stack, aws_cloudfront, aws_iam, aws_s3
from constructs import Construct

from infra.config import Config
from infra.function import TranscoderFunction
from infra.nag_acknowledgements import acknowledge
from infra.permissions import FILES, keep_files, keep_files_findings
from transcoder.core.answer.cors import Cors

_INDEX_DAYS = 7
_UPLOAD_DAYS = 1
"""After so many days S3 deletes the parts of an upload that was neither completed nor aborted, because its invocation was killed."""


class ServiceBucket(Construct):
    """A private bucket that deletes by itself what is put into it. The function may use it, and the distribution may read its files."""

    def __init__(self, scope: Construct, name: str, *, config: Config, user: TranscoderFunction) -> None:
        """Create the bucket, and let `user` keep files and indexes there."""
        super().__init__(scope, name)
        self.bucket = aws_s3.Bucket(
            self,
            "Bucket",
            encryption=aws_s3.BucketEncryption.S3_MANAGED,
            block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=aws_s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=_lifecycle_rules(config.file_days),
            # A browser that a script of another site has sent here by a presigned URL; the distribution adds its own headers.
            cors=None if config.publishes_files else [_cors_rule(Cors())],
            # Nothing here is worth keeping without the stack. CloudFormation deletes a bucket only if it is empty (docs/operating.md).
            # The CDK could empty it, with a second function, a role with a policy of AWS's, and a log that stays.
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(self.bucket, {"AwsSolutions-S1": "Access logs need a second bucket; the function logs each request that leads here."})
        for statement in keep_files(self.bucket.bucket_arn):
            user.role.add_to_policy(statement)
        # cdk-nag's way of writing a reference
        acknowledge(user.role, keep_files_findings("<{}.{}>".format(*Stack.of(self).resolve(self.bucket.bucket_arn)["Fn::GetAtt"])))
        user.function.add_environment("TRANSCODER_BUCKET", self.bucket.bucket_name)

    def publish_files(self, distribution: aws_cloudfront.Distribution, user: TranscoderFunction) -> None:
        """Let `distribution` read the finished files, and let `user` send its callers there."""
        statement = aws_iam.PolicyStatement(
            principals=[aws_iam.ServicePrincipal("cloudfront.amazonaws.com")],
            actions=["s3:GetObject"],
            resources=[self.bucket.arn_for_objects(FILES)],
            conditions={"StringEquals": {"AWS:SourceArn": distribution.distribution_arn}},
        )
        self.bucket.add_to_resource_policy(statement)
        # A path, which a client resolves against the address that it called: the function cannot know the domain name of the
        # distribution, which depends on the Function URL and thereby on the function.
        user.function.add_environment("TRANSCODER_FILES_URL", "/")


def _lifecycle_rules(file_days: int) -> list[aws_s3.LifecycleRule]:
    return [
        aws_s3.LifecycleRule(id="unfinished-uploads", abort_incomplete_multipart_upload_after=Duration.days(_UPLOAD_DAYS)),
        aws_s3.LifecycleRule(id="files", prefix="files/", expiration=Duration.days(file_days)),
        aws_s3.LifecycleRule(id="indexes", prefix="indexes/", expiration=Duration.days(_INDEX_DAYS)),
    ]


def _cors_rule(cors: Cors) -> aws_s3.CorsRule:
    return aws_s3.CorsRule(
        allowed_origins=list(cors.allow_origins),
        allowed_methods=[aws_s3.HttpMethods[method] for method in cors.allow_methods],
        allowed_headers=list(cors.allow_headers),
        exposed_headers=list(cors.expose_headers),
        max_age=cors.max_age_seconds,
    )
