"""Turn an HLS playlist or a Reddit link into one MP4, streamed while it is made."""

__version__ = "0.1.0"
