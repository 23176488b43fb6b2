"""The hosts of presigned URLs: no request that is made for one is redirected to another, for which its signature would not count."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.session import Session
from peers.aws_services import CREDENTIALS

from transcoder.edge.s3_client import s3_client


def presigned(bucket: str = "videos") -> str:
    client = s3_client()
    parts = urlsplit(client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/Ü.mp4"}))
    client.close()
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    for name, value in {**CREDENTIALS, "AWS_DEFAULT_REGION": request.param}.items():
        monkeypatch.setenv(name, value)
    return str(request.param)


@pytest.mark.parametrize("region", ["eu-central-1", "eu-north-1", "af-south-1"], indirect=True)
def test_the_host_is_that_of_the_region(region: str) -> None:
    assert presigned() == f"https://videos.s3.{region}.amazonaws.com/a%20b/%C3%9C.mp4"
    assert presigned("a.b") == f"https://s3.{region}.amazonaws.com/a.b/a%20b/%C3%9C.mp4"


@pytest.mark.parametrize(
    ("region", "host"), [("us-east-1", "videos.s3.amazonaws.com"), ("cn-north-1", "videos.s3.cn-north-1.amazonaws.com.cn")],
    indirect=["region"],
)  # fmt: skip
def test_regions_whose_host_is_another(region: str, host: str) -> None:
    assert presigned() == f"https://{host}/a%20b/%C3%9C.mp4", region


@pytest.mark.parametrize("region", ["eu-central-1"], indirect=True)
@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
@pytest.mark.parametrize("address", ["http://127.0.0.1:9000", "http://minio:9000"])
@pytest.mark.usefixtures("region")
def test_another_store_finds_the_bucket_in_the_path(address: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, address)
    assert presigned() == f"{address}/videos/a%20b/%C3%9C.mp4"


SHAPE_PROPERTIES = ("name", "type_name", "serialization", "metadata", "required_members", "event_stream_name", "document_type")


def properties(shape: Any, seen: dict[str, Any]) -> dict[str, Any]:
    """Return what a shape says, and all that it names, by their names."""
    if shape is not None and shape.name not in seen:
        parts = ("member", "key", "value")
        members = getattr(shape, "members", {}) or {each: getattr(shape, each) for each in parts if hasattr(shape, each)}
        seen[shape.name] = ({name: getattr(shape, name, None) for name in SHAPE_PROPERTIES}, [*members])
        for member in members.values():
            properties(member, seen)
    return seen


@pytest.mark.parametrize("region", ["eu-central-1"], indirect=True)
@pytest.mark.usefixtures("region")
def test_what_is_kept_of_the_model_is_all_that_its_operations_have() -> None:
    """Most of the model is left out, which takes ten megabytes of memory."""
    client, other = s3_client(), Session().create_client("s3")
    kept, whole = client.meta.service_model, other.meta.service_model
    assert {"UploadPart", "CompleteMultipartUpload", "GetObject"} <= set(kept.operation_names) < set(whole.operation_names)
    for name in kept.operation_names:
        mine, theirs = kept.operation_model(name), whole.operation_model(name)
        assert (mine.http, mine.http_checksum, mine.static_context_parameters, mine.context_parameters) == (
            *(theirs.http, theirs.http_checksum, theirs.static_context_parameters, theirs.context_parameters),
        )
        for role in ("input_shape", "output_shape"):
            assert properties(getattr(mine, role), {}) == properties(getattr(theirs, role), {})
    assert sorted(shape.name for shape in kept.error_shapes) == sorted(shape.name for shape in whole.error_shapes)
    client.close()
    other.close()
