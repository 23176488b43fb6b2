"""Problem documents (RFC 9457): of an error, and what a received one says."""

import json

from transcoder.errors import TranscoderError

PROBLEM_TYPE = "application/problem+json"
MAX_PROBLEM_BYTES = 64 * 1024
"""How much of an error response is kept for its message."""


def problem_document(error: TranscoderError) -> dict[str, str | int]:
    """Return the members of the problem document of an error."""
    return {
        "type": f"urn:problem-type:transcoder:{error.slug}",
        "title": error.slug.replace("-", " ").capitalize(),
        "status": int(error.status),
        "detail": str(error),
    }


def problem_sentence(body: bytes) -> str:
    """Return the detail and the slug of a problem document as one sentence; for any other body, its beginning."""
    try:
        document = json.loads(body)
        return f"{document['detail']} [{str(document['type']).rpartition(':')[2]}]"
    except (ValueError, LookupError, TypeError, RecursionError):
        return body[:200].decode(errors="replace").strip() or "no details were given."
