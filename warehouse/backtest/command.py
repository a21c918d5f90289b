"""The command: python -m warehouse backtest."""

import argparse

from warehouse.backtest import replay, sizes

DESCRIPTION = f"{replay.DESCRIPTION}\n\n{sizes.DESCRIPTION}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    replay.add_arguments(parser)
    sizes.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Replay the warehouse of the environment, or simulated ones of several sizes."""
    return replay.run(options) if options.sizes is None else sizes.run(options)
