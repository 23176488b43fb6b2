"""A failure in the words of the Lambda Runtime API: its type, and the document that describes it.

Source: AWS Lambda developer guide, "Using the Lambda runtime API", and "Building a custom runtime" (error trailers).
"""

import base64
import json
import traceback

from transcoder.errors import TranscoderError

INTERNAL_ERROR = "Function.InternalError"
"""The type of every failure that is not a `TranscoderError`: a bug."""

_NAMES = {"deadline": "DeadlineExceeded", "too-large": "ResponseTooLarge"}  # the words that operators look for in Lambda's logs


def error_type(error: BaseException) -> str:
    """Name `error` as Lambda wants it, `Function.` and words in capitals: it replaces a name of any other form by `Function.Unknown`."""
    if not isinstance(error, TranscoderError):
        return INTERNAL_ERROR
    return "Function." + _NAMES.get(error.slug, "".join(word.capitalize() for word in error.slug.split("-")))


def error_document(error: BaseException, *, trace: bool) -> bytes:
    """Describe `error` in JSON: `errorType`, `errorMessage`, `stackTrace`.

    `trace` asks for the stack and a bug's own message: for the operator's eyes, since whatever goes into trailers reaches the caller.
    """
    own_words = trace or isinstance(error, TranscoderError)
    document = {
        "errorType": error_type(error),
        "errorMessage": str(error) or type(error).__name__ if own_words else "The answer could not be completed.",
        "stackTrace": traceback.format_exception(error) if trace else [],
    }
    return json.dumps(document).encode()


def error_trailers(error: BaseException) -> tuple[tuple[str, str], ...]:
    """Write the trailers that end a stream in failure; the document goes in base64, since its bytes would break the framing."""
    return (
        ("Lambda-Runtime-Function-Error-Type", error_type(error)),
        ("Lambda-Runtime-Function-Error-Body", base64.b64encode(error_document(error, trace=False)).decode()),
    )
