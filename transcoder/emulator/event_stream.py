"""Frames of `application/vnd.amazon.eventstream`, as InvokeWithResponseStream answers in.

Source: Smithy specification, "Amazon Event Stream": a prelude (total length, length of the headers, CRC-32 of both),
headers, payload, CRC-32 of all.
"""

import json
import struct
import zlib

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def payload_chunk(payload: bytes) -> bytes:
    """Frame a piece of the answer."""
    return _frame("PayloadChunk", "application/octet-stream", payload)


def invoke_complete(error_code: str = "", error_details: str = "") -> bytes:
    """Frame the end of the answer; well, unless there is an error code."""
    fields = {"ErrorCode": error_code, "ErrorDetails": error_details} if error_code else {}
    return _frame("InvokeComplete", "application/json", json.dumps(fields).encode())


def _frame(event: str, content_type: str, payload: bytes) -> bytes:
    headers = b"".join(
        struct.pack(f"!B{len(name)}sBH{len(value)}s", len(name), name.encode(), _STRING, len(value), value.encode())
        for name, value in ((":message-type", "event"), (":event-type", event), (":content-type", content_type))
    )
    lengths = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    start = lengths + struct.pack("!I", zlib.crc32(lengths))
    check = zlib.crc32(payload, zlib.crc32(start + headers))
    return b"".join((start, headers, payload, struct.pack("!I", check)))
