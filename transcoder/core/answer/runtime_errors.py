"""The error formats of the Lambda Runtime API: error type, error document and error trailers.

Source: AWS Lambda developer guide, "Using the Lambda runtime API", and "Building a custom runtime" (error trailers).
"""

import base64
import json
import traceback

from transcoder.errors import TranscoderError

INTERNAL_ERROR = "Function.InternalError"
"""The type of any failure that is not a `TranscoderError`, which is a bug."""

_NAMES = {"deadline": "DeadlineExceeded", "too-large": "ResponseTooLarge"}  # what operators search for in Lambda's logs


def error_type(error: BaseException) -> str:
    """Return the error type for Lambda, such as `Function.UpstreamFailed`; it replaces any other form by `Function.Unknown`."""
    if not isinstance(error, TranscoderError):
        return INTERNAL_ERROR
    return "Function." + _NAMES.get(error.slug, "".join(word.capitalize() for word in error.slug.split("-")))


def error_document(error: BaseException, *, trace: bool) -> bytes:
    """Return `error` as JSON with `errorType`, `errorMessage` and `stackTrace`.

    `trace` includes the stack and the message of a bug. That is for the operator only: error trailers reach the caller.
    """
    include_message = trace or isinstance(error, TranscoderError)
    document = {
        "errorType": error_type(error),
        "errorMessage": str(error) or type(error).__name__ if include_message else "The response could not be completed.",
        "stackTrace": traceback.format_exception(error) if trace else [],
    }
    return json.dumps(document).encode()


def error_trailers(error: BaseException) -> tuple[tuple[str, str], ...]:
    """Return the HTTP trailers of a failed stream; the error document is base64-encoded, since its bytes would break the framing."""
    return (
        ("Lambda-Runtime-Function-Error-Type", error_type(error)),
        ("Lambda-Runtime-Function-Error-Body", base64.b64encode(error_document(error, trace=False)).decode()),
    )
