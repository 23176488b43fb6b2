"""Our runtime under AWS's Runtime Interface Emulator, which is made of the code that runs on Lambda."""

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


def served(invoke: Invoke) -> tuple[int, str]:
    """Return how many invocations this process has served, and which process it is."""
    _, number, pid, *_ = invoke(event("/hello")).parts[1].decode().split(" ")
    return int(number), pid


def test_an_answer_has_its_prelude_and_its_body(function: Invoke) -> None:
    answer = function(event("/stream", "2"))
    prelude, body = answer.parts
    assert answer.status == 200
    assert json.loads(prelude) == {"statusCode": 200, "headers": {"content-type": "video/mp4", "x-content-duration": "1.5"}}
    assert body == bytes(range(256)) * 8192


@pytest.mark.parametrize("path", ["/fail-after", "/bug-after", "/fail-before", "/empty"])
def test_the_runtime_goes_on_after(function: Invoke, path: str) -> None:
    before = served(function)
    function(event(path))
    assert served(function) == (before[0] + 2, before[1])


def test_a_failure_before_the_first_byte_is_a_problem(function: Invoke) -> None:
    prelude, body = function(event("/fail-before")).parts
    assert json.loads(prelude)["statusCode"] == 502
    assert json.loads(body)["detail"] == "The origin has no such film."


def test_a_bug_before_the_first_byte_is_reported_as_an_error(function: Invoke) -> None:
    assert json.loads(function(event("/bug-before")).body)["errorType"] == "Function.InternalError"


def test_a_runtime_that_dies_is_replaced(function: Invoke) -> None:
    served(function)
    assert json.loads(function(event("/die")).body)["errorType"] == "Runtime.ExitError"
    assert served(function)[0] == 1


def test_an_answer_that_is_too_long_to_be_buffered_is_refused_and_the_runtime_goes_on(function: Invoke) -> None:
    before = served(function)
    assert json.loads(function(event("/stream", "7")).body)["errorType"] == "Function.ResponseSizeTooLarge"
    assert served(function) == (before[0] + 2, before[1])


def test_a_failed_start_is_reported_with_its_reason() -> None:
    with on_demand(small_application.COMMAND, FAIL_TO_START="1") as invoke:
        answer = json.loads(invoke(event("/hello")).body)
    assert answer["errorType"] == "Function.InternalError"
    assert answer["errorMessage"] == "no luck today"


def test_the_transcoder_makes_a_whole_film(serve: Serve, media: Callable[[str], Path]) -> None:
    address = serve(media("ts-muxed")).url("/main.m3u8")
    environ = {"TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_ALLOWED_HOSTS": "*", "PYTHONPATH": str(ROOT)}
    with on_demand((sys.executable, "-m", "transcoder.bootstrap"), **environ) as invoke:
        prelude, body = invoke(event("/download", f"url={quote(address, safe='')}")).parts
    verifier = Verifier()
    assert json.loads(prelude)["statusCode"] == 200, body
    verifier.feed(body)
    assert verifier.end().announced == pytest.approx(float(json.loads(prelude)["headers"]["x-content-duration"]), abs=0.01)


def test_a_managed_instance_gets_our_content_type_and_mode(instance: Invoke) -> None:
    answer = instance(event("/stream", "1"))
    assert answer.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    assert answer.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert answer.parts[1] == bytes(range(256)) * 4096


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        pytest.param("/fail-after", "Function.UpstreamFailed", "The origin broke off.", id="a failure"),
        pytest.param("/bug-after", "Function.InternalError", "The response could not be completed.", id="a bug, whose words stay here"),
    ],
)
def test_a_managed_instance_decodes_our_error_trailers(instance: Invoke, path: str, kind: str, message: str) -> None:
    before = served(instance)
    answer = instance(event(path))
    assert answer.headers["error-type"] == kind
    assert json.loads(answer.body) == {"errorType": kind, "errorMessage": message, "stackTrace": []}
    assert served(instance) == (before[0] + 2, before[1])


def test_a_managed_instance_takes_our_error_before_the_answer(instance: Invoke) -> None:
    answer = instance(event("/bug-before"))
    assert answer.headers["error-type"] == "Function.InternalError"
    assert json.loads(answer.body)["errorMessage"] == "'a secret'"
    assert served(instance)[0] > 1


def test_a_managed_instance_tells_a_truncated_answer(tmp_path_factory: pytest.TempPathFactory) -> None:
    with managed_instance(tmp_path_factory.mktemp("task")) as invoke:
        assert invoke(event("/die")).headers["error-type"] == "Runtime.TruncatedResponse"
