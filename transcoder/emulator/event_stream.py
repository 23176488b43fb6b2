"""Messages of `application/vnd.amazon.eventstream`, the format of InvokeWithResponseStream responses.

Source: Smithy specification, "Amazon Event Stream": a prelude (total length, length of the headers, CRC-32 of both),
headers, payload, CRC-32 of all.
"""

import json
import struct
import zlib

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def payload_chunk(payload: bytes) -> bytes:
    """Encode a PayloadChunk event: one piece of the response."""
    return _message("PayloadChunk", "application/octet-stream", payload)


def invoke_complete(error_code: str = "", error_details: str = "") -> bytes:
    """Encode an InvokeComplete event, which ends the response; it reports success unless `error_code` is given."""
    fields = {"ErrorCode": error_code, "ErrorDetails": error_details} if error_code else {}
    return _message("InvokeComplete", "application/json", json.dumps(fields).encode())


def _message(event_type: str, content_type: str, payload: bytes) -> bytes:
    headers = b"".join(
        struct.pack(f"!B{len(name)}sBH{len(value)}s", len(name), name.encode(), _STRING, len(value), value.encode())
        for name, value in ((":message-type", "event"), (":event-type", event_type), (":content-type", content_type))
    )
    lengths = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    prelude = lengths + struct.pack("!I", zlib.crc32(lengths))
    checksum = zlib.crc32(payload, zlib.crc32(prelude + headers))
    return b"".join((prelude, headers, payload, struct.pack("!I", checksum)))
