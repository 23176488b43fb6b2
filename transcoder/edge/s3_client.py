"""AWS's SDK, and its client of S3. Importing botocore takes a quarter of a second, so it is imported only when it is asked for."""

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transcoder.errors import BadRequestError

_OPERATIONS = (
    *("HeadObject", "GetObject", "PutObject", "DeleteObject"),
    *("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload"),
    *("HeadBucket", "CreateSession"),  # botocore's own: where is a bucket that redirects, and who may use a directory bucket?
)
_SERVICES = ("s3",)
_OPENERS: dict[str, Any] = {".json": open, ".json.gz": gzip.open}
"""By the suffixes that botocore's models have."""


@contextmanager
def aws_sdk(purpose: str) -> Iterator[None]:
    """Import boto3 and botocore within the block; `purpose` begins the sentence that is raised without them.

    Raises:
        BadRequestError: they are not installed. Only who uses AWS needs them, and on Lambda the managed runtime has them.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"boto3", "botocore"}:
            raise
        raise BadRequestError(f"{purpose}: this needs the package boto3, which is not installed: pip install boto3.") from error


def s3_client(**config: Any) -> Any:
    """Return a client with the function's own credentials, for a few operations; `config` are parameters of botocore's `Config`.

    Its presigned URLs lead to the endpoint of its region. Otherwise botocore makes them for the global one, which redirects what is asked
    of a bucket that is new, or in a region that was opened after 2019 (S3 user guide, "Virtual hosting of buckets"), to a host for which
    the signature does not count.

    Raises:
        BotoCoreError: there is no region.
    """
    from botocore.config import Config  # noqa: PLC0415

    session = _session()
    client = session.create_client("s3", config=Config(signature_version="s3v4", **config))
    if client.meta.endpoint_url != f"https://s3.{client.meta.region_name}.amazonaws.com":
        return client  # other stores have no global endpoint, and need not know buckets as parts of host names
    client.close()
    return session.create_client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}, **config))


def _session() -> Any:
    """Return a session of botocore that keeps of its models what is needed of them: all of them take ten megabytes more.

    To find a service, botocore would look through the folders of all the four hundred, twice: half the time that a client takes.
    """
    from botocore.loaders import Loader  # noqa: PLC0415
    from botocore.session import Session  # noqa: PLC0415

    class OneService(Loader):  # type: ignore[misc]  # botocore has no types
        def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - the model and its rules are both there
            return list(_SERVICES)

    session = Session()
    session.register_component("data_loader", OneService(file_loader=_Models()))
    return session


class _Models:
    """Reads botocore's models, in place of its `JSONFileLoader`."""

    def exists(self, file_path: str) -> bool:
        """Return whether there is a model; `file_path` has no suffix."""
        return any(Path(file_path + suffix).is_file() for suffix in _OPENERS)

    def load_file(self, file_path: str) -> Any:
        """Return what is needed of a model; None if there is none."""
        for suffix, opener in _OPENERS.items():
            if Path(file_path + suffix).is_file():
                with opener(file_path + suffix, "rb") as file:
                    return _needed(json.loads(file.read()))
        return None


def _needed(model: dict[str, Any]) -> dict[str, Any]:
    """Return of a service's model some operations, and of all endpoints those of S3."""
    if {"operations", "shapes"} <= model.keys():
        operations = {name: _undocumented(model["operations"][name]) for name in _OPERATIONS if name in model["operations"]}
        return {**model, "operations": operations, "shapes": _undocumented(_shapes_of(operations, model["shapes"]))}
    return {**model, "partitions": [_partition(each) for each in model["partitions"]]} if "partitions" in model else model


def _partition(partition: dict[str, Any]) -> dict[str, Any]:
    """Return what a partition of AWS has of S3; the list of partitions for rule sets has no services."""
    services = partition.get("services")
    return partition if services is None else {**partition, "services": {name: services[name] for name in _SERVICES if name in services}}


def _shapes_of(operations: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
    """Return the shapes that operations name, with those that these name, and all exceptions."""
    exceptions = [name for name, shape in shapes.items() if shape.get("exception")]
    names, waiting = set[str](), [*exceptions, *_shape_names(operations.values())]
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting += _shape_names([shapes[name]])
    return {name: shape for name, shape in shapes.items() if name in names}


def _shape_names(values: Iterable[Any]) -> list[str]:
    """Return the names of shapes anywhere in values."""
    found = list[str]()
    for value in values:
        if isinstance(value, dict):
            found += [value["shape"]] if isinstance(value.get("shape"), str) else _shape_names(value.values())
        elif isinstance(value, list):
            found += _shape_names(value)
    return found


def _undocumented(value: Any) -> Any:
    """Return shapes or an operation without what they say of themselves, which is most of their length."""
    if isinstance(value, dict):
        return {name: _undocumented(each) for name, each in value.items() if name != "documentation"}
    return [_undocumented(each) for each in value] if isinstance(value, list) else value
