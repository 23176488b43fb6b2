"""CloudFormation on loopback, as far as `make destroy` and `make prune` use it, in the form of its API reference.

moto's needs packages that nothing else here does.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

_NAMESPACE = 'xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"'


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack that is deployed."""

    name: str
    description: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    region: str = "us-east-1"
    template: str = "{}"


def _member(stack: Deployed) -> str:
    outputs = "".join(
        f"<member><OutputKey>{name}</OutputKey><OutputValue>{escape(value)}</OutputValue></member>" for name, value in stack.outputs.items()
    )
    return (
        f"<member><StackName>{stack.name}</StackName><Description>{escape(stack.description)}</Description>"
        "<StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-11-22T08:00:00Z</CreationTime>"
        f"<Outputs>{outputs}</Outputs></member>"
    )


@contextmanager
def cloudformation(stacks: list[Deployed]) -> Iterator[str]:
    """Serve a CloudFormation with these stacks for the length of a block; what is deleted leaves the list."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = {name: value for name, (value,) in parse_qs(self.rfile.read(int(self.headers["content-length"])).decode()).items()}
            region = self.headers["authorization"].split("/")[2]  # of the credential's scope, which is signed
            wanted = query.get("StackName")
            found = [each for each in stacks if each.region == region and wanted in {None, each.name}]
            action = query["Action"]
            if action == "DeleteStack":
                for each in found:
                    stacks.remove(each)
                self._send(200, f"<DeleteStackResponse {_NAMESPACE}/>")
            elif action == "GetTemplate":
                body = f"<GetTemplateResult><TemplateBody>{escape(found[0].template)}</TemplateBody></GetTemplateResult>"
                self._send(200, f"<GetTemplateResponse {_NAMESPACE}>{body}</GetTemplateResponse>")
            elif action == "DescribeStacks" and wanted and not found:
                error = f"<Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id {wanted} does not exist</Message>"
                self._send(400, f"<ErrorResponse {_NAMESPACE}><Error>{error}</Error></ErrorResponse>")
            else:
                assert action == "DescribeStacks"
                members = "".join(map(_member, found))
                result = f"<DescribeStacksResult><Stacks>{members}</Stacks></DescribeStacksResult>"
                self._send(200, f"<DescribeStacksResponse {_NAMESPACE}>{result}</DescribeStacksResponse>")

        def _send(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
