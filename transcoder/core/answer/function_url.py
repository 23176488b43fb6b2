"""What a function sends to its Function URL, or to a REST API that streams: the response prelude, and problem documents.

Sources: AWS Lambda developer guide, "Response streaming"; API Gateway developer guide, "Set up a Lambda proxy integration with payload
response streaming", which has the same prelude.
"""

import json
import re
from http import HTTPStatus
from typing import NamedTuple

from transcoder.core.answer.problem import PROBLEM_TYPE, problem_document
from transcoder.errors import TranscoderError

PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response"
"""The Content-Type of a response stream that begins with a prelude."""
PRELUDE_END = b"\0" * 8
"""The separator between the prelude and the body."""
MAX_PRELUDE_BYTES = 16 * 1024
"""A longer prelude, including its separator, is refused."""
RENAMED_HEADERS = frozenset({
    "authorization", "connection", "content-length", "content-md5", "date", "expect", "host", "keep-alive", "max-forwards",
    "proxy-authenticate", "proxy-authorization", "server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via",
    "www-authenticate",
})  # fmt: skip
"""Response headers that a Function URL renames to `x-amzn-remapped-…`."""
STRIPPED_HEADERS = frozenset({"content-encoding"})
"""Response headers that a Function URL acts on and removes: it decodes the body itself."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e]*")  # RFC 9110, 5.5, less obs-text, which proxies mangle


class ResponseHead(NamedTuple):
    """The status and headers of a response, sent before the body."""

    status: HTTPStatus
    headers: tuple[tuple[str, str], ...] = ()


def encode_prelude(head: ResponseHead) -> bytes:
    """Return `head` as the prelude of a streamed response: one JSON text and the separator.

    Raises:
        ValueError: a Function URL would not send it unchanged: it has a header that Function URLs rename or remove, a cookie, a name or
            value that is not valid in HTTP (RFC 9110, 5.1 and 5.5), or more than `MAX_PRELUDE_BYTES`.
    """
    headers: dict[str, str] = {}
    for name, value in head.headers:
        key = name.lower()
        if key in RENAMED_HEADERS or key in STRIPPED_HEADERS or key == "set-cookie":
            raise ValueError(f"A Function URL does not send the header {name!r} unchanged.")
        if not _TOKEN.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise ValueError(f"Not a valid HTTP header: {name!r}: {value!r}.")
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    text = json.dumps({"statusCode": int(head.status), "headers": headers}, separators=(",", ":"))
    encoded = text.encode() + PRELUDE_END
    if len(encoded) > MAX_PRELUDE_BYTES:
        raise ValueError(f"The prelude has {len(encoded)} bytes, which is longer than the limit of {MAX_PRELUDE_BYTES}.")
    return encoded


def problem_response(error: TranscoderError) -> tuple[ResponseHead, bytes]:
    """Return the head and the body of the response to a failed request: a problem document (RFC 9457), never cached."""
    headers = (("content-type", PROBLEM_TYPE), ("cache-control", "no-store"), ("x-content-type-options", "nosniff"), *error.headers)
    return ResponseHead(error.status, headers), json.dumps(problem_document(error)).encode() + b"\n"
