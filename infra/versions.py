"""Check what a synthesis or a deployment needs, before anything is built: `python -m infra.versions /path/to/python3.13`."""

import re
import shutil
import subprocess
import sys

from infra.packages.function import check_python
from infra.packages.target import IncompatibleError

LEAST_NODE = 20
"""The oldest Node.js on which this version of the CDK was seen to run, though it says that it supports 22 and 24."""


def check_node() -> None:
    """Check that there is a Node.js on which the AWS CDK runs.

    Raises:
        IncompatibleError: there is none, or it is too old.
    """
    node = shutil.which("node")
    if node is None:
        raise IncompatibleError(f"Node.js was not found, on which the AWS CDK runs; install version {LEAST_NODE} or newer.")
    printed = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout.strip()
    version = re.match(r"v(\d+)\.", printed)
    if version is None:
        raise IncompatibleError(f"{node} does not tell its version, so it is no Node.js; install version {LEAST_NODE} or newer.")
    if int(version[1]) < LEAST_NODE:
        raise IncompatibleError(f"Node.js {version[1]} is too old for the AWS CDK; install version {LEAST_NODE} or newer ({node}).")


def main() -> int:
    """Say what is missing or too old, and return the exit code."""
    try:
        check_node()
        check_python(sys.argv[1] if len(sys.argv) > 1 else "")
    except IncompatibleError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
