"""`make destroy` empties the bucket of the deployed stack, and no other."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from peers.aws_services import CREDENTIALS, aws_services
from peers.cloudformation import Deployed, cloudformation

from infra.packages.function import ROOT


@pytest.fixture
def s3_address() -> Iterator[str]:
    with aws_services() as address:
        yield address


STACK = Deployed("Transcoder", outputs={"Page": "https://a.example/", "BucketName": "the-stacks-own"})


def run(*arguments: str, answer: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.empty_bucket", *arguments]
    environment = {**os.environ, **CREDENTIALS, **environ}
    return subprocess.run(command, cwd=ROOT, env=environment, input=answer, capture_output=True, text=True, check=False, timeout=60)


def destroy(s3_address: str, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    with cloudformation([STACK]) as address:
        endpoints = {"AWS_ENDPOINT_URL_CLOUDFORMATION": address, "AWS_ENDPOINT_URL_S3": s3_address}
        return run(*arguments, answer=answer, **endpoints)


@pytest.fixture
def s3(s3_address: str) -> Any:
    """An S3 with the bucket of the stack, which has three objects and an unfinished upload; another bucket has one object."""
    names = {name.lower(): value for name, value in CREDENTIALS.items() if "KEY" in name}
    client = boto3.client("s3", endpoint_url=s3_address, region_name="us-east-1", **names)
    for bucket, keys in {"another": ["a"], "the-stacks-own": ["files/a", "files/b", "indexes/c"]}.items():
        client.create_bucket(Bucket=bucket)
        for key in keys:
            client.put_object(Bucket=bucket, Key=key, Body=b"a")
    client.create_multipart_upload(Bucket="the-stacks-own", Key="files/d")
    return client


def count(s3: Any, bucket: str) -> tuple[int, int]:
    """Return how many objects and unfinished uploads there are."""
    objects, uploads = s3.list_objects_v2(Bucket=bucket), s3.list_multipart_uploads(Bucket=bucket)
    return len(objects.get("Contents", [])), len(uploads.get("Uploads", []))


@pytest.mark.parametrize(("arguments", "answer"), [(["--yes"], ""), ([], "y\n")], ids=["without asking", "agreed"])
def test_the_bucket_of_the_stack_is_emptied(arguments: list[str], answer: str, s3_address: str, s3: Any) -> None:
    result = destroy(s3_address, *arguments, answer=answer)
    assert (result.returncode, result.stderr) == (0, "")
    assert "the-stacks-own: 3 objects deleted" in result.stdout
    assert (count(s3, "the-stacks-own"), count(s3, "another")) == ((0, 0), (1, 0))


@pytest.mark.parametrize("answer", ["\n", "no\n", ""], ids=["nothing", "no", "the end of the input"])
def test_nothing_is_deleted_unless_someone_agrees(answer: str, s3_address: str, s3: Any) -> None:
    before = count(s3, "the-stacks-own")
    result = destroy(s3_address, answer=answer)
    assert (result.returncode, result.stderr) == (1, "Nothing was deleted.\n")
    assert "Delete everything in the bucket the-stacks-own of Transcoder?" in result.stdout
    assert count(s3, "the-stacks-own") == before
    assert before[0] == 3


def test_a_stack_that_is_not_deployed_has_nothing_to_empty() -> None:
    with cloudformation([]) as address:
        result = run("--yes", AWS_ENDPOINT_URL_CLOUDFORMATION=address)
    assert (result.returncode, result.stdout) == (0, "Transcoder has no bucket to empty.\n")


def test_a_failure_is_a_sentence() -> None:
    result = run("--yes", AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert result.returncode == 2
    assert "Could not connect" in result.stderr
    assert "Traceback" not in result.stderr
