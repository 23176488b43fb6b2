"""An emulator of AWS Lambda on loopback: a Runtime API and a streaming Function URL around a runtime in its own process.

The runtime is the same code that runs on Lambda: the real bootstrap, started as Lambda starts it and reached only through the Runtime API.
"""

from transcoder.emulator.emulator import Running, emulator
from transcoder.emulator.options import Front, Options, StreamErrors
from transcoder.emulator.s3 import s3

__all__ = ["Front", "Options", "Running", "StreamErrors", "emulator", "s3"]
