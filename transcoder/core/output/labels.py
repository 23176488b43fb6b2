"""What an output says about itself."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

_UNIX_EPOCH = 2_082_844_800
"""1970 in seconds since 1904, from which an MP4 counts (ISO/IEC 14496-12, 8.2.2)."""


class Labels(NamedTuple):
    """What the output says about itself."""

    tags: Mapping[str, str]
    """By ffmpeg's names."""
    language: str | None = None
    """Of its audio, as a playlist has it."""

    @property
    def created(self) -> int | None:
        """When its media were recorded, in seconds since 1904."""
        text = self.tags.get("creation_time")
        return round(datetime.fromisoformat(text).timestamp()) + _UNIX_EPOCH if text else None


NO_LABELS = Labels(MappingProxyType({}))
