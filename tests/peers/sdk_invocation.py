"""Call the function through boto3, as a user of the SDK does."""

import json
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

EVENT = (Path(__file__).resolve().parents[2] / "fixtures" / "events" / "get.json").read_bytes()


def event(path: str, query: str = "") -> bytes:
    """Return the event of a Function URL request for `path`."""
    return json.dumps(json.loads(EVENT) | {"rawPath": path, "rawQueryString": query}).encode()


def client(url: str) -> Any:
    """Return a client that calls the emulator at `url`."""
    return boto3.client(
        "lambda",
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106  # the emulator does not check signatures
        config=Config(read_timeout=10, retries={"max_attempts": 0}),
    )


def invoke(url: str, path: str, query: str = "") -> tuple[bytes, list[dict[str, str]]]:
    """Return the payload, and the InvokeComplete events."""
    response = client(url).invoke_with_response_stream(FunctionName="transcoder", Payload=event(path, query))
    assert response["StatusCode"] == 200
    assert response["ExecutedVersion"] == "$LATEST"
    assert response["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    payload, complete = b"", []
    for frame in response["EventStream"]:
        if "PayloadChunk" in frame:
            payload += frame["PayloadChunk"]["Payload"]
        else:
            complete.append(frame["InvokeComplete"])
    return payload, complete
