"""The layer with ffmpeg."""
