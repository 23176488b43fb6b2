"""What a client accepts (RFC 9110, 12.5.1)."""

MULTIPART_MIXED = "multipart/mixed"
"""For reports on the making of an output, and then the output (RFC 2046, 5.1.3)."""


def names_type(accept: str, media_type: str) -> bool:
    """Return whether an Accept header names a media type itself, not by a wildcard, and does not refuse it (`q=0`)."""
    for item in accept.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        if name == media_type:
            return not any(parameter.startswith("q=") and not parameter[2:].strip("0.") for parameter in parameters)
    return False
