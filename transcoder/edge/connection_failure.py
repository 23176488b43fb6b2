"""Why there is no connection: a name that does not exist, a server that is not there, or a certificate that is not trusted."""

import socket
import ssl
from collections.abc import Iterator


def why_no_connection(error: BaseException, peer: str) -> str:
    """Return what is to be said of a `peer` that could not be connected to, without a full stop."""
    causes = tuple(_causes(error))
    if any(isinstance(each, socket.gaierror | UnicodeError) for each in causes):
        return f"the name of {peer} cannot be resolved (DNS)"
    if certificate := next((each for each in causes if isinstance(each, ssl.SSLCertVerificationError)), None):
        return f"the TLS certificate of {peer} is not trusted: {certificate.verify_message.rstrip('.')}"
    if any(isinstance(each, ssl.SSLError) for each in causes):
        return f"{peer} does not speak TLS as it should"
    if any(isinstance(each, ConnectionRefusedError) for each in causes):
        return f"{peer} refuses the connection"
    return f"cannot connect to {peer}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Iterate over an error and what it was raised from."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        following = cause.__cause__ or cause.__context__  # httpcore raises some of its exceptions without `from`
        # A name may stand for several addresses, of which each fails.
        cause = following.exceptions[0] if isinstance(following, BaseExceptionGroup) else following
