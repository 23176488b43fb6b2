"""What bytes are: containers, codecs, timestamps, samples."""
