"""The event that a Function URL makes of an HTTP request.

Source: AWS Lambda developer guide, "Invoking Lambda function URLs", payload format 2.0.
"""

import base64
import json
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

_TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")
API_ID = "emulated"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it was received."""

    method: str
    target: str
    """The request target as in the request line, not decoded."""
    headers: tuple[tuple[str, str], ...]
    """Names in lower case; a repeated header is listed once per occurrence."""
    body: bytes
    source_ip: str
    protocol: str = "HTTP/1.1"

    @property
    def path(self) -> str:
        """The path of the target; `/` if it has none."""
        return self._split()[0]

    @property
    def query(self) -> str:
        """The query of the target, not decoded."""
        return self._split()[1]

    def header(self, name: str) -> str:
        """Return the first header called `name` (in lower case), or an empty string if there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def _split(self) -> tuple[str, str]:
        target = self.target
        if not target.startswith("/"):  # absolute form (RFC 9112, 3.2.2), or the asterisk form of OPTIONS
            try:
                parts = urlsplit(target)
            except ValueError:  # brackets around something that is not an IP address
                return "/", ""
            return parts.path if parts.path.startswith("/") else "/", parts.query
        path, _, query = target.partition("?")
        return path, query


def new_trace_id() -> str:
    """Return a new X-Ray trace header."""
    return f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"


def make_event(request: HttpRequest, *, request_id: str, trace_id: str, now: datetime) -> bytes:
    """Return the event as JSON."""
    headers = _join_repeated((name, value) for name, value in request.headers if name != "cookie")
    host = headers.get("host", "localhost")
    port = host.rpartition(":")[2] if ":" in host else "80"
    headers |= {"x-amzn-trace-id": trace_id, "x-forwarded-for": request.source_ip, "x-forwarded-port": port, "x-forwarded-proto": "http"}
    cookies = [cookie for name, value in request.headers if name == "cookie" for cookie in value.split("; ")]
    event: dict[str, object] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": _request_context(request, host, headers.get("user-agent", ""), request_id=request_id, now=now),
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if request.query:
        event["queryStringParameters"] = _join_repeated(parse_qsl(request.query, keep_blank_values=True))
    if request.body:
        event |= body_fields(request.body, headers.get("content-type", ""))
    return json.dumps(event).encode()


def _request_context(request: HttpRequest, host: str, user_agent: str, *, request_id: str, now: datetime) -> dict[str, object]:
    return {
        "accountId": "anonymous",
        "apiId": API_ID,
        "domainName": host_name(host),
        "domainPrefix": host_name(host).partition(".")[0],
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": user_agent,
        },
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": now.strftime("%d/%b/%Y:%H:%M:%S %z"),
        "timeEpoch": int(now.timestamp() * 1000),
    }


def _join_repeated(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the values of repeated names with commas, as a Function URL does."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def body_fields(body: bytes, content_type: str) -> dict[str, object]:
    """Return the members of an event that hold a body: as text if it is one, else in Base64."""
    if content_type.startswith(_TEXT_TYPES):
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def host_name(host: str) -> str:
    """Return a Host without its port; as it is if it is no host."""
    try:
        return urlsplit(f"//{host}").hostname or host
    except ValueError:  # brackets around something that is not an IP address
        return host
