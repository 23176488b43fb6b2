"""`transcoder get` and `transcoder info` on the network of a Reddit on loopback."""

import argparse
import contextlib
from pathlib import Path
from typing import Any

from peers.reddit import Reddit

import transcoder.cli.get
import transcoder.cli.info
from transcoder.settings import Settings

FAST_FAILING = Settings(attempts=1, read_seconds=5.0)


def get(site: Reddit, folder: Path, *arguments: str, settings: Settings = FAST_FAILING) -> int:
    """Run `transcoder get` in a folder, and return its exit code."""
    with contextlib.chdir(folder):
        return transcoder.cli.get.run(_parse(transcoder.cli.get, "get", *arguments), settings, network=site.network)


def info(site: Reddit, *arguments: str, settings: Settings = FAST_FAILING) -> int:
    """Run `transcoder info`, which prints its report, and return its exit code."""
    return transcoder.cli.info.run(_parse(transcoder.cli.info, "info", *arguments), settings, network=site.network)


def _parse(command: Any, *arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_command(parser.add_subparsers())
    return parser.parse_args(arguments)
