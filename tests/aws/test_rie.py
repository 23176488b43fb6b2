"""Our runtime with AWS's Runtime Interface Emulator, which is built from the code that runs on Lambda."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import Serve
from peers import small_application
from peers.rie import Invoke, managed_instance, on_demand
from peers.sdk_invocation import event

from transcoder.core.output.verifier import Verifier

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def function() -> Iterator[Invoke]:
    with on_demand(small_application.COMMAND) as invoke:
        yield invoke


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Invoke]:
    with managed_instance(tmp_path_factory.mktemp("task")) as invoke:
        yield invoke


def invocations_and_pid(invoke: Invoke) -> tuple[int, str]:
    """Return how many invocations the runtime process has served, and its id."""
    _, number, pid, *_ = invoke(event("/hello")).parts[1].decode().split(" ")
    return int(number), pid


def test_a_response_has_its_prelude_and_its_body(function: Invoke) -> None:
    response = function(event("/stream", "2"))
    prelude, body = response.parts
    assert response.status == 200
    assert json.loads(prelude) == {"statusCode": 200, "headers": {"content-type": "video/mp4", "x-content-duration": "1.5"}}
    assert body == bytes(range(256)) * 8192


@pytest.mark.parametrize("path", ["/fail-after", "/bug-after", "/fail-before", "/empty"])
def test_the_runtime_goes_on_after(function: Invoke, path: str) -> None:
    before = invocations_and_pid(function)
    function(event(path))
    assert invocations_and_pid(function) == (before[0] + 2, before[1])


def test_an_error_before_the_first_byte_is_a_problem_document(function: Invoke) -> None:
    prelude, body = function(event("/fail-before")).parts
    assert json.loads(prelude)["statusCode"] == 502
    assert json.loads(body)["detail"] == "The origin has no such video."


def test_a_bug_before_the_first_byte_is_reported_as_an_error(function: Invoke) -> None:
    assert json.loads(function(event("/bug-before")).body)["errorType"] == "Function.InternalError"


def test_a_runtime_that_dies_is_replaced(function: Invoke) -> None:
    invocations_and_pid(function)
    assert json.loads(function(event("/die")).body)["errorType"] == "Runtime.ExitError"
    assert invocations_and_pid(function)[0] == 1


def test_a_response_too_long_to_be_buffered_is_refused_and_the_runtime_goes_on(function: Invoke) -> None:
    before = invocations_and_pid(function)
    assert json.loads(function(event("/stream", "7")).body)["errorType"] == "Function.ResponseSizeTooLarge"
    assert invocations_and_pid(function) == (before[0] + 2, before[1])


def test_a_failed_start_is_reported_with_its_reason() -> None:
    with on_demand(small_application.COMMAND, FAIL_TO_START="1") as invoke:
        response = json.loads(invoke(event("/hello")).body)
    assert response["errorType"] == "Function.InternalError"
    assert response["errorMessage"] == "no luck today"


def test_the_transcoder_makes_a_whole_mp4(serve: Serve, media: Callable[[str], Path]) -> None:
    url = serve(media("ts-muxed")).url("/main.m3u8")
    environ = {"TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_ALLOWED_HOSTS": "*", "PYTHONPATH": str(ROOT)}
    with on_demand((sys.executable, "-m", "transcoder.bootstrap"), **environ) as invoke:
        prelude, body = invoke(event("/download", f"url={quote(url, safe='')}")).parts
    verifier = Verifier()
    assert json.loads(prelude)["statusCode"] == 200, body
    verifier.feed(body)
    assert verifier.end().announced == pytest.approx(float(json.loads(prelude)["headers"]["x-content-duration"]), abs=0.01)


def test_a_managed_instance_gets_our_content_type_and_mode(instance: Invoke) -> None:
    response = instance(event("/stream", "1"))
    assert response.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    assert response.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert response.parts[1] == bytes(range(256)) * 4096


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        pytest.param("/fail-after", "Function.UpstreamFailed", "The origin broke off.", id="a failure"),
        pytest.param("/bug-after", "Function.InternalError", "The response could not be completed.", id="a bug, whose message stays here"),
    ],
)
def test_a_managed_instance_decodes_our_error_trailers(instance: Invoke, path: str, kind: str, message: str) -> None:
    before = invocations_and_pid(instance)
    response = instance(event(path))
    assert response.headers["error-type"] == kind
    assert json.loads(response.body) == {"errorType": kind, "errorMessage": message, "stackTrace": []}
    assert invocations_and_pid(instance) == (before[0] + 2, before[1])


def test_a_managed_instance_accepts_our_error_before_the_first_byte(instance: Invoke) -> None:
    response = instance(event("/bug-before"))
    assert response.headers["error-type"] == "Function.InternalError"
    assert json.loads(response.body)["errorMessage"] == "'a secret'"
    assert invocations_and_pid(instance)[0] > 1


def test_a_managed_instance_reports_a_truncated_response(tmp_path_factory: pytest.TempPathFactory) -> None:
    with managed_instance(tmp_path_factory.mktemp("task")) as invoke:
        assert invoke(event("/die")).headers["error-type"] == "Runtime.TruncatedResponse"
