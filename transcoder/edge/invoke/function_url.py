"""Invoke a function over HTTP by its Function URL, or by the URL of a proxy in front of it; requests can be signed."""

import re
import ssl
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import httpx

from transcoder.core.answer.prelude import ReceivedHead
from transcoder.edge.connection_failure import why_no_connection
from transcoder.edge.invoke.receiver import CONNECT_SECONDS, READ_SECONDS, Receiver
from transcoder.edge.s3_client import aws_sdk
from transcoder.errors import BadRequestError, BrokenOffError

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_REGION_IN_HOST = re.compile(r"\.lambda-url\.([a-z0-9-]+)\.on\.aws$")


class FunctionUrl(NamedTuple):
    """A URL that the function answers."""

    url: str
    """Absolute, with its query."""
    sign: bool = False
    """Sign the request (AWS Signature Version 4), as a Function URL of the auth type AWS_IAM requires."""
    region: str | None = None
    """Region to sign for; None uses the one in the URL's host, or else the one from the environment or the profile."""

    async def invoke(self, *, into: Receiver, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """GET the URL with `headers`. Returns only if the HTTP response is complete, which does not prove that the video is whole.

        Raises:
            BadRequestError: the URL is invalid, there are no credentials or no region to sign with, or the environment names a proxy that
                cannot be used.
            BrokenOffError: the server cannot be reached, or the connection broke.
        """
        # Proxies must not compress the bytes that the function sends.
        all_headers, host = {"accept-encoding": "identity", **headers}, self._host()
        all_headers |= self._signature(host) if self.sign else {}
        try:
            async with _open_client() as client:
                await self._receive(client, all_headers, into)
        except httpx.RemoteProtocolError as error:
            raise BrokenOffError("The response broke off: its body is incomplete or not valid HTTP.") from error
        except httpx.TransportError as error:
            raise BrokenOffError(f"The function cannot be reached: {_reason(error, host)}.") from error

    async def _receive(self, client: httpx.AsyncClient, headers: dict[str, str], into: Receiver) -> None:
        into.request_started()
        async with client.stream("GET", self.url, headers=headers) as response:
            await into.start(ReceivedHead(response.status_code, dict(response.headers)))
            async for chunk in response.aiter_raw():  # as they arrive: of a response that breaks off, everything counts
                await into.write(chunk)

    def _host(self) -> str:
        """Return the host of the URL; raise BadRequestError if that is invalid."""
        try:
            return httpx.URL(self.url).host
        except (httpx.InvalidURL, UnicodeError) as error:  # UnicodeError: a label that begins with xn-- and is none (RFC 5890)
            raise BadRequestError(f"{self.url!r} is not a valid URL.") from error

    def _signature(self, host: str) -> dict[str, str]:
        """Return the headers that sign the request; they sign no other header but `host`."""
        with aws_sdk("--sign-aws"):
            from botocore.auth import SigV4Auth  # noqa: PLC0415  # slow to load
            from botocore.awsrequest import AWSRequest  # noqa: PLC0415
            from botocore.session import Session  # noqa: PLC0415

        session = Session()
        credentials = session.get_credentials()
        if credentials is None:
            raise BadRequestError("No AWS credentials were found to sign the request with.")
        match = _REGION_IN_HOST.search(host)
        region = self.region or (match[1] if match else session.get_config_variable("region"))
        if not region:
            raise BadRequestError("No AWS region is known to sign the request for: name one.")
        request = AWSRequest(method="GET", url=self.url)
        SigV4Auth(credentials.get_frozen_credentials(), "lambda", region).add_auth(request)
        return dict(request.headers.items())


def _reason(error: httpx.TransportError, host: str) -> str:
    """Return why a request to a host failed, without a full stop."""
    if isinstance(error, httpx.ConnectError):
        return why_no_connection(error, host)
    if isinstance(error, httpx.ConnectTimeout):
        return f"{host} did not accept the connection within {CONNECT_SECONDS:g} s"
    if isinstance(error, httpx.ReadTimeout):
        return f"{host} sent nothing for {READ_SECONDS:g} s"
    return f"the connection to {host} broke ({str(error) or type(error).__name__})"


def _open_client() -> httpx.AsyncClient:
    """Make a client that uses the proxies of the environment, as AWS's SDK does."""
    try:
        return httpx.AsyncClient(timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS))
    except (ImportError, ValueError, httpx.InvalidURL) as error:  # ImportError: a SOCKS proxy needs a package that httpx does not bring
        raise BadRequestError(
            "The environment names a proxy that cannot be used (HTTP_PROXY, HTTPS_PROXY or ALL_PROXY): only http and https proxies can."
        ) from error
    except OSError as error:  # also that of ssl
        reason = "it has no certificates in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        raise BadRequestError(f"SSL_CERT_FILE or SSL_CERT_DIR, which the environment names: {reason}.") from error
