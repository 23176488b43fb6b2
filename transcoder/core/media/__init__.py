"""Reading media bytes: containers, codecs, timestamps and samples."""
