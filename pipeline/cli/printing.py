"""Where the commands print their tables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 160
"""Columns where nobody looks at a screen: a file or another program must get cells whole."""


def console() -> Console:
    """As wide as the terminal, or as ``COLUMNS`` says; `WIDE` where the output goes elsewhere."""
    from rich.console import Console

    found = Console()
    return found if found.is_terminal or "COLUMNS" in os.environ else Console(width=WIDE)
