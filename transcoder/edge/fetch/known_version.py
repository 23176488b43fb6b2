"""One version of a resource, which every response that brings a part of it must be of."""

import httpx

from transcoder.edge.fetch.retry import TransientError
from transcoder.edge.fetch.validators import Validators, total_length
from transcoder.edge.resource_name import resource_name
from transcoder.errors import ChangedFileError


class KnownVersion:
    """The length and the validators of a resource: those of the first response, unless they are known before."""

    def __init__(self, validators: Validators | None = None, *, any_version: bool = False) -> None:
        """Know `validators`, or learn them; with `any_version`, check nothing."""
        self.validators = validators
        self.has_ranges = False
        """Whether a response has shown that the origin serves byte ranges and tells the length of the whole resource."""
        self._any = any_version

    def is_same(self, other: "KnownVersion") -> bool:
        """Return whether two versions that are known may be the same one."""
        return self.validators is not None and other.validators is not None and self.validators.allow_same(other.validators)

    def check(self, response: httpx.Response) -> None:
        """Compare a response with what is known, before any of its body is read.

        Raises:
            TransientError: it is of another version. A server of the origin may be behind the others, so that the next one may be right.
        """
        if self._any:
            return
        found = Validators.of(response, total_length(response))
        if self.validators is not None and not found.allow_same(self.validators):
            name = resource_name(str(response.url))
            raise TransientError(
                ChangedFileError(f"{name}: the file has changed since its index was made.", origin_status=response.status_code)
            )
        self.validators = found if self.validators is None else self.validators.completed_by(found)
        self.has_ranges = self.has_ranges or (response.status_code == httpx.codes.PARTIAL_CONTENT and found.length is not None)


ANY_VERSION = KnownVersion(any_version=True)
