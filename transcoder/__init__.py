"""Turns an HLS playlist into one MP4 and streams it while it is being made."""

__version__ = "0.1.0"
