"""The emulated InvokeWithResponseStream, called by boto3."""

import json
from collections.abc import Iterator

import botocore.exceptions
import pytest
from peers.running_emulator import emulated, http, small_application_options
from peers.sdk_invocation import client, invoke

from transcoder.emulator import Running


@pytest.fixture(scope="module")
def function() -> Iterator[Running]:
    with emulated(small_application_options()) as running:
        yield running


def test_boto3_gets_prelude_body_and_success(function: Running) -> None:
    payload, ends = invoke(function.url, "/stream", "2")
    prelude, _, body = payload.partition(b"\0" * 8)
    assert json.loads(prelude)["statusCode"] == 200
    assert body == bytes(range(256)) * 8192
    assert ends == [{}]


def test_boto3_gets_the_error_of_a_failed_stream(function: Running) -> None:
    payload, (end,) = invoke(function.url, "/fail-after")
    assert payload.endswith(b"a part")
    assert end["ErrorCode"] == "Function.UpstreamFailed"
    assert json.loads(end["ErrorDetails"])["errorMessage"] == "The origin broke off."


def test_boto3_gets_an_error_before_the_first_byte(function: Running) -> None:
    payload, (end,) = invoke(function.url, "/bug-before")
    assert payload == b""
    assert end["ErrorCode"] == "Function.InternalError"


def test_boto3_gets_an_error_if_the_runtime_dies(function: Running) -> None:
    payload, (end,) = invoke(function.url, "/die")
    assert payload.endswith(b"a part")
    assert end["ErrorCode"].startswith("Runtime.")
    assert invoke(function.url, "/hello")[1] == [{}]


def test_an_event_not_from_a_function_url_is_a_problem_document(function: Running) -> None:
    response = client(function.url).invoke_with_response_stream(FunctionName="transcoder")
    payload = b"".join(frame["PayloadChunk"]["Payload"] for frame in response["EventStream"] if "PayloadChunk" in frame)
    assert json.loads(payload.partition(b"\0" * 8)[0])["statusCode"] == 400


def test_another_function_is_not_found(function: Running) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="ResourceNotFoundException"):
        client(function.url).invoke_with_response_stream(FunctionName="other")


def test_an_event_that_is_not_json_is_refused(function: Running) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidRequestContentException"):
        client(function.url).invoke_with_response_stream(FunctionName="transcoder", Payload=b"{")


def test_both_endpoints_call_the_same_process(function: Running) -> None:
    by_sdk = invoke(function.url, "/hello")[0].partition(b"\0" * 8)[2].split()[2].decode()
    assert http.get(function.url + "/hello").text.split()[2] == by_sdk
