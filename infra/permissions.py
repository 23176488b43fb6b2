"""The permissions that roles get, each on what it names and nothing else."""

from collections.abc import Sequence

from aws_cdk import Aws, aws_iam

FILES, INDEXES = "files/*", "indexes/*"


def bucket_arn(name: str) -> str:
    """Return the ARN of a bucket that the stack has not made."""
    return f"arn:{Aws.PARTITION}:s3:::{name}"


def read_objects(arns: Sequence[str]) -> aws_iam.PolicyStatement:
    """Return the permission to read these objects; `…/*` stands for all of a bucket."""
    return aws_iam.PolicyStatement(actions=["s3:GetObject"], resources=list(arns))


def keep_files(bucket: str) -> list[aws_iam.PolicyStatement]:
    """Return the permissions to keep finished files and indexes in a bucket; `bucket` is its ARN."""
    return [
        # PutObject is also what completes a multipart upload.
        aws_iam.PolicyStatement(actions=["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"], resources=[f"{bucket}/{FILES}"]),
        aws_iam.PolicyStatement(actions=["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], resources=[f"{bucket}/{INDEXES}"]),
        # Without it S3 answers 403 for an object that does not exist. There is no condition on s3:prefix, since AWS does not document
        # whether the key of GetObject counts as a prefix.
        aws_iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket]),
    ]


def keep_files_findings(bucket: str) -> dict[str, str]:
    """Return the acknowledgements of cdk-nag's findings on `keep_files`; `bucket` is the ARN as cdk-nag writes it."""
    reason = "The names of the objects are not known beforehand; the permission is for one folder of the bucket of finished files."
    return {f"AwsSolutions-IAM5[Resource::{bucket}/{folder}]": reason for folder in (FILES, INDEXES)}


def read_secret(arn: str) -> aws_iam.PolicyStatement:
    """Return the permission to read one secret."""
    return aws_iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[arn])
