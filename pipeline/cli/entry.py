"""The entry point of the program: Ctrl-C ends it without a traceback also while it is still being loaded."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `pipeline.cli.main.main`, whose imports take seconds."""
    try:
        from pipeline.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()
