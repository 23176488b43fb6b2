"""A Runtime API that answers by a script and keeps every byte it receives."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h11

OK = (202, b'{"status":"OK"}\n')


@dataclass
class Exchange:
    """One request: its parts, and its raw bytes."""

    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trailers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    complete: bool = False
    closed: bool = False
    """Whether the client closed the connection after the reply."""


@dataclass
class Script:
    """What to answer, and the requests so far."""

    address: str
    event: bytes = b"{}"
    next_headers: dict[str, str] = field(default_factory=dict)
    next_status: int = 200
    reply: tuple[int, bytes] = OK
    """Status and body of the reply to every POST."""
    hang_up_after: int | None = None
    """Abort the connection after so many bytes."""
    stall_after: int | None = None
    """Stop reading after so many bytes, until `resume` is set."""
    resume: asyncio.Event = field(default_factory=asyncio.Event)
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def posted(self) -> list[Exchange]:
        return [exchange for exchange in self.exchanges if exchange.method == "POST"]


@asynccontextmanager
async def scripted_runtime_api() -> AsyncIterator[Script]:
    script = Script("")
    server = await asyncio.start_server(_handler(script), "127.0.0.1", 0)
    async with server:
        script.address = "{}:{}".format(*server.sockets[0].getsockname())
        yield script


def _handler(script: Script) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        exchange = Exchange()
        script.exchanges.append(exchange)
        connection = h11.Connection(h11.SERVER)
        try:
            await _read(script, exchange, connection, reader)
            if exchange.complete:
                writer.write(_reply(script, exchange, connection))
                await writer.drain()
                exchange.closed = await reader.read() == b""
        except (OSError, h11.RemoteProtocolError):
            pass
        finally:
            writer.transport.abort()

    return serve


async def _read(script: Script, exchange: Exchange, connection: h11.Connection, reader: asyncio.StreamReader) -> None:
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                if script.stall_after is not None and len(exchange.raw) >= script.stall_after:
                    await script.resume.wait()
                received = await reader.read(65536)
                exchange.raw += received
                connection.receive_data(received)
                if script.hang_up_after is not None and len(exchange.raw) >= script.hang_up_after:
                    return
            case h11.Request() as request:
                exchange.method, exchange.path = request.method.decode(), request.target.decode()
                exchange.headers = {name.decode(): value.decode() for name, value in request.headers}
            case h11.Data() as data:
                exchange.body += data.data
            case h11.EndOfMessage() as end:
                exchange.trailers = {name.decode(): value.decode() for name, value in end.headers}
                exchange.complete = True
                return
            case _:
                return


def _reply(script: Script, exchange: Exchange, connection: h11.Connection) -> bytes:
    if exchange.method == "GET":
        status, body, headers = script.next_status, script.event, script.next_headers
    else:
        (status, body), headers = script.reply, {}
    events = (
        h11.Response(status_code=status, headers=[*headers.items(), ("Content-Length", str(len(body)))]),
        h11.Data(data=body),
        h11.EndOfMessage(),
    )
    return b"".join(connection.send(event) or b"" for event in events)
