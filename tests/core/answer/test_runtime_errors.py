import base64
import json
import re

import pytest

from transcoder.core.answer.runtime_errors import error_document, error_trailers, error_type
from transcoder.errors import DeadlineError, TooLargeError, TranscoderError, UpstreamError


def every_error() -> list[type[TranscoderError]]:
    found = [TranscoderError]
    for kind in found:
        found += kind.__subclasses__()
    return found


@pytest.mark.parametrize("kind", every_error())
def test_every_failure_has_an_error_type_that_lambda_keeps(kind: type[TranscoderError]) -> None:
    assert re.fullmatch(r"Function\.[A-Z][a-zA-Z]+", error_type(kind.__new__(kind)))  # some constructors take more than a message


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (UpstreamError("x"), "Function.UpstreamFailed"),
        (DeadlineError("x"), "Function.DeadlineExceeded"),
        (TooLargeError("x"), "Function.ResponseTooLarge"),
        (ZeroDivisionError("x"), "Function.InternalError"),
    ],
)
def test_error_types(error: Exception, name: str) -> None:
    assert error_type(error) == name


def test_the_operator_sees_a_bugs_message_and_the_caller_does_not() -> None:
    error = KeyError("secret")
    assert "secret" in json.loads(error_document(error, trace=True))["errorMessage"]
    assert b"secret" not in error_document(error, trace=False)


def test_each_trailer_is_one_line() -> None:
    trailers = dict(error_trailers(UpstreamError("two\r\nlines")))
    body = trailers["Lambda-Runtime-Function-Error-Body"]
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", body)
    assert json.loads(base64.b64decode(body)) == {"errorType": "Function.UpstreamFailed", "errorMessage": "two\r\nlines", "stackTrace": []}


@pytest.mark.parametrize(
    ("error", "trace", "message"),
    [
        (UpstreamError("no answer"), False, "no answer"),
        (UpstreamError("no answer"), True, "no answer"),
        (UpstreamError(""), False, "UpstreamError"),
        (ZeroDivisionError("a detail"), True, "a detail"),
        (ZeroDivisionError(), True, "ZeroDivisionError"),
        (ZeroDivisionError("a detail"), False, "The response could not be completed."),
    ],
)
def test_a_failure_has_a_message_and_its_stack_only_for_the_operator(error: Exception, message: str, *, trace: bool) -> None:
    document = json.loads(error_document(error, trace=trace))
    assert (document["errorType"], document["errorMessage"]) == (error_type(error), message)
    assert [line.startswith(type(error).__name__) or type(error).__name__ in line for line in document["stackTrace"]] == [True] * trace


def test_a_trailer_names_the_type_of_the_failure() -> None:
    trailers = error_trailers(DeadlineError("x"))
    assert [name for name, _ in trailers] == ["Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"]
    assert trailers[0][1] == "Function.DeadlineExceeded"
