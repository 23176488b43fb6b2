"""The keys of signed links, from an emulated Secrets Manager on loopback."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from uuid import uuid4

import boto3
import pytest
from peers.aws_services import aws_services

from transcoder.edge.secrets_manager import SecretError, signing_keys

Store = Callable[[str | bytes], str]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a Secrets Manager and return its URL."""
    with aws_services() as address:
        yield address


@pytest.fixture
def secrets_manager(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point the environment to the emulated service, as Lambda's points to AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    return server


@pytest.fixture
def store(secrets_manager: str) -> Iterator[Store]:
    """Return a function that creates a secret and returns its ARN."""
    client = boto3.client("secretsmanager", endpoint_url=secrets_manager)

    def create(value: str | bytes) -> str:
        content = {"SecretString": value} if isinstance(value, str) else {"SecretBinary": value}
        return str(client.create_secret(Name=f"signing-keys-{uuid4()}", **content)["ARN"])

    yield create
    client.close()


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        pytest.param("only", (b"only",), id="one key, as it is generated"),
        pytest.param("new\nold\n", (b"new", b"old"), id="the newest first"),
        pytest.param(" new \r\n\r\nold", (b"new", b"old"), id="with spaces and empty lines"),
    ],
)
def test_reads_the_keys_in_their_order(store: Store, text: str, keys: tuple[bytes, ...]) -> None:
    assert asyncio.run(signing_keys(store(text))) == keys


@pytest.mark.parametrize("value", [" \n", b"only"], ids=["blank", "binary"])
def test_a_secret_without_a_key_is_a_failure(store: Store, value: str | bytes) -> None:
    with pytest.raises(SecretError, match="no key"):
        asyncio.run(signing_keys(store(value)))


@pytest.mark.usefixtures("secrets_manager")
def test_a_missing_secret_is_a_failure_that_does_not_name_it() -> None:
    with pytest.raises(SecretError) as failure:
        asyncio.run(signing_keys("arn:aws:secretsmanager:eu-west-1:123456789012:secret:none"))
    assert str(failure.value) == "The keys of signed links cannot be read."


def test_importing_the_module_does_not_import_boto3() -> None:
    code = "import sys, transcoder.edge.secrets_manager; sys.exit('boto3' in sys.modules)"
    assert asyncio.run(_exit_status(code)) == 0


async def _exit_status(code: str) -> int:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    return await process.wait()
