"""The event that a REST API of API Gateway makes of an HTTP request, in a proxy integration.

Source: API Gateway developer guide, "Input format of a Lambda function for proxy integration".
"""

import json
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import parse_qsl

from transcoder.emulator.function_url_event import API_ID, HttpRequest, body_fields, host_name

STAGE = "prod"
"""The stage, with which every path of a REST API begins that has no domain name of its own."""
METHODS = ("GET", "HEAD")
"""The methods that the stack's REST API hands to the function, on the root and on each path below it."""


def is_in_stage(path: str) -> bool:
    """Return whether a path belongs to the stage; a REST API refuses any other."""
    return path == f"/{STAGE}" or path.startswith(f"/{STAGE}/")


def make_rest_event(request: HttpRequest, *, request_id: str, trace_id: str, now: datetime) -> bytes:
    """Return the event as JSON. What the client sent as query is decoded, and not there as it was."""
    host = request.header("host") or "localhost"
    own = [("X-Amzn-Trace-Id", trace_id), ("X-Forwarded-For", request.source_ip), ("X-Forwarded-Port", "80"), ("X-Forwarded-Proto", "http")]
    headers = [*((name.title(), value) for name, value in request.headers), *own]
    query = parse_qsl(request.query, keep_blank_values=True)
    path = request.path.removeprefix(f"/{STAGE}") or "/"
    event: dict[str, object] = {
        "resource": "/" if path == "/" else "/{proxy+}",
        "path": path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _lists(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _lists(query) or None,
        "pathParameters": None if path == "/" else {"proxy": path.removeprefix("/")},
        "stageVariables": None,
        "requestContext": _context(request, host_name(host), path, request_id=request_id, now=now),
        **(body_fields(request.body, request.header("content-type")) if request.body else {"body": None, "isBase64Encoded": False}),
    }
    return json.dumps(event).encode()


def _context(request: HttpRequest, host: str, path: str, *, request_id: str, now: datetime) -> dict[str, object]:
    return {
        "accountId": "123456789012",
        "apiId": API_ID,
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "extendedRequestId": request_id,
        "httpMethod": request.method,
        "identity": {"sourceIp": request.source_ip, "userAgent": request.header("user-agent") or None},
        "path": request.path,
        "protocol": request.protocol,
        "requestId": request_id,
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S %z"),
        "requestTimeEpoch": int(now.timestamp() * 1000),
        "resourceId": API_ID,
        "resourcePath": "/" if path == "/" else "/{proxy+}",
        "stage": STAGE,
    }


def _lists(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return lists
