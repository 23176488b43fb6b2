"""A function by its Function URL, or by whatever stands before it: HTTP, signed if that is asked for."""

import re
from dataclasses import dataclass

import httpx

from transcoder.core.answer.prelude import ReceivedHead
from transcoder.edge.invoke.receiver import CONNECT_SECONDS, READ_SECONDS, Receiver
from transcoder.errors import BadRequestError, InvocationError

CHUNK_BYTES = 64 * 1024
_REGION = re.compile(r"\.lambda-url\.([a-z0-9-]+)\.on\.aws$")


@dataclass(frozen=True, slots=True)
class FunctionUrl:
    """An address that the function answers under."""

    url: str
    """Absolute, with its query."""
    sign: bool = False
    """Sign the request (AWS Signature Version 4), as a URL of the auth type AWS_IAM wants it."""
    region: str | None = None
    """For the signature; None takes the address's own, else what the environment and the profile say."""

    async def invoke(self, *, into: Receiver) -> None:
        """GET it; returns only if the answer's transport came to a good end, which does not yet say that the answer is whole.

        Raises:
            BadRequestError: there are no credentials or no region to sign with.
            InvocationError: nobody answers, or the connection broke.
        """
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        # Bytes are wanted as they were made: nothing in between is asked to compress.
        headers = {"accept-encoding": "identity"}
        headers |= self._signature() if self.sign else {}
        try:
            async with httpx.AsyncClient(timeout=timeout) as client:
                await self._receive(client, headers, into)
        except httpx.RemoteProtocolError as error:
            raise InvocationError("The answer broke off: its body has no end.") from error
        except httpx.InvalidURL as error:
            raise BadRequestError(f"{self.url!r} is not an address.") from error
        except httpx.TransportError as error:
            raise InvocationError(f"{httpx.URL(self.url).host}: {str(error) or type(error).__name__}.") from error

    async def _receive(self, client: httpx.AsyncClient, headers: dict[str, str], into: Receiver) -> None:
        into.asked()
        async with client.stream("GET", self.url, headers=headers) as response:
            await into.start(ReceivedHead(response.status_code, dict(response.headers)))
            async for chunk in response.aiter_raw(CHUNK_BYTES):
                await into.write(chunk)

    def _signature(self) -> dict[str, str]:
        """Return the headers that sign the request; only `host` is signed with them, whatever else is sent."""
        from botocore.auth import SigV4Auth  # noqa: PLC0415  # slow to load
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.session import Session  # noqa: PLC0415

        session = Session()
        credentials = session.get_credentials()
        if credentials is None:
            raise BadRequestError("There are no AWS credentials to sign with.")
        own = _REGION.search(httpx.URL(self.url).host)
        region = self.region or (own[1] if own else session.get_config_variable("region"))
        if not region:
            raise BadRequestError("There is no AWS region to sign for.")
        request = AWSRequest(method="GET", url=self.url)
        SigV4Auth(credentials.get_frozen_credentials(), "lambda", region).add_auth(request)
        return dict(request.headers.items())
