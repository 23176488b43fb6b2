"""InvokeWithResponseStream as boto3 sees it."""

import json
import os
from collections.abc import Iterator

import botocore.exceptions
import pytest
from peers import small_application
from peers.running_emulator import emulated, http
from peers.sdk_invocation import client, invoke

from transcoder.emulator import Options, Running


@pytest.fixture(scope="module")
def function() -> Iterator[Running]:
    with emulated(Options(command=small_application.COMMAND, environ=dict(os.environ))) as running:
        yield running


def test_boto3_gets_prelude_and_body_and_a_good_end(function: Running) -> None:
    payload, ends = invoke(function.url, "/stream", "2")
    prelude, _, body = payload.partition(b"\0" * 8)
    assert json.loads(prelude)["statusCode"] == 200
    assert body == bytes(range(256)) * 8192
    assert ends == [{}]


def test_boto3_hears_of_a_failure_in_the_middle(function: Running) -> None:
    payload, (end,) = invoke(function.url, "/fail-after")
    assert payload.endswith(b"a part")
    assert end["ErrorCode"] == "Function.UpstreamFailed"
    assert json.loads(end["ErrorDetails"])["errorMessage"] == "The origin broke off."


def test_boto3_hears_of_a_failure_before_the_answer(function: Running) -> None:
    payload, (end,) = invoke(function.url, "/bug-before")
    assert payload == b""
    assert end["ErrorCode"] == "Function.InternalError"


def test_boto3_hears_of_a_death(function: Running) -> None:
    payload, (end,) = invoke(function.url, "/die")
    assert payload.endswith(b"a part")
    assert end["ErrorCode"].startswith("Runtime.")
    assert invoke(function.url, "/hello")[1] == [{}]


def test_an_event_that_is_no_function_urls_is_a_problem(function: Running) -> None:
    answer = client(function.url).invoke_with_response_stream(FunctionName="transcoder")
    payload = b"".join(frame["PayloadChunk"]["Payload"] for frame in answer["EventStream"] if "PayloadChunk" in frame)
    assert json.loads(payload.partition(b"\0" * 8)[0])["statusCode"] == 400


def test_another_function_is_not_there(function: Running) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="ResourceNotFoundException"):
        client(function.url).invoke_with_response_stream(FunctionName="other")


def test_an_event_that_is_no_json_is_refused(function: Running) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidRequestContentException"):
        client(function.url).invoke_with_response_stream(FunctionName="transcoder", Payload=b"{")


def test_both_doors_lead_to_one_function(function: Running) -> None:
    by_sdk = invoke(function.url, "/hello")[0].partition(b"\0" * 8)[2].split()[2].decode()
    assert http.get(function.url + "/hello").text.split()[2] == by_sdk
