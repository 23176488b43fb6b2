"""What an origin answered to a question that is not about media."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpReply:
    """One answer, whatever its status."""

    url: str
    """Where it came from in the end."""
    status: int
    content_type: str
    text: str
    location: str | None = None
    """Where it leads, as an absolute address, if it is a redirect that was not followed."""
