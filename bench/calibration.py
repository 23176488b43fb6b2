"""A fixed amount of the work that this program consists of, as a measure of the machine: Python in a loop, and bytes through a socket.

python -m bench.calibration
"""

import os
import socket
import zlib

PIECE_BYTES = 64 * 1024
PIECES = 12 * 1024
ROUNDS = 2_500_000


def move_bytes() -> int:
    """Send 768 MiB to a child process in pieces, and return the last checksum of them."""
    own, other = socket.socketpair()
    child = os.fork()
    if child == 0:
        own.close()
        piece = bytes(range(256)) * (PIECE_BYTES // 256)
        for _ in range(PIECES):
            other.sendall(piece)
        os._exit(0)
    other.close()
    checksum, buffer = 0, memoryview(bytearray(PIECE_BYTES))
    with own:
        while received := own.recv_into(buffer):
            checksum = zlib.crc32(bytes(buffer[:received]), checksum)
    os.waitpid(child, 0)
    return checksum


def count() -> int:
    """Add numbers in a dictionary, and return one of the sums."""
    sums: dict[int, int] = {}
    for number in range(ROUNDS):
        sums[number & 1023] = sums.get(number & 1023, 0) + number
    return sums[0]


if __name__ == "__main__":
    move_bytes()
    count()
