"""The function called through boto3, as an SDK's user would."""

import json
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

EVENT = (Path(__file__).resolve().parents[2] / "fixtures" / "events" / "get.json").read_bytes()


def event(path: str, query: str = "") -> bytes:
    """Make an event of a Function URL for a path."""
    return json.dumps(json.loads(EVENT) | {"rawPath": path, "rawQueryString": query}).encode()


def client(url: str) -> Any:
    """Make a client that asks the emulator."""
    return boto3.client(
        "lambda",
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106  # the emulator checks none
        config=Config(read_timeout=10, retries={"max_attempts": 0}),
    )


def invoke(url: str, path: str, query: str = "") -> tuple[bytes, list[dict[str, str]]]:
    """Give the payload, and what the last frames said."""
    answer = client(url).invoke_with_response_stream(FunctionName="transcoder", Payload=event(path, query))
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    payload, ends = b"", []
    for frame in answer["EventStream"]:
        if "PayloadChunk" in frame:
            payload += frame["PayloadChunk"]["Payload"]
        else:
            ends.append(frame["InvokeComplete"])
    return payload, ends
