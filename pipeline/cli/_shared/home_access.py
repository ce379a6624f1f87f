"""How a verb reaches the home: by `--home`, the settings, or the user's data folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.tapes.home import Home


def chosen(profile: Sequence[str] | None, config: Sequence[Path] | None, home: Path | None) -> Settings:
    """The settings, with the home's folder as it was named."""
    from pipeline import settings

    loaded = settings.load(profile or (), config or ()).settings
    if home is None:
        return loaded
    return loaded.model_copy(update={"tapes": loaded.tapes.model_copy(update={"home": str(home.resolve())})})


@contextmanager
def opened(
    home: Path | None, config: Sequence[Path] | None = None, profile: Sequence[str] | None = None
) -> Iterator[Home]:
    """The home, open while a verb works; a passphrase is asked for when it is needed."""
    from pipeline.tapes.home import Home

    found = Home.open(chosen(profile, config, home).tapes, ask)
    try:
        yield found
    finally:
        found.close()


def ask() -> str:
    """The passphrase of the master key, from whoever sits there."""
    answer: str = typer.prompt("Passphrase of the master key", hide_input=True, err=True)
    return answer


def ask_twice() -> str:
    """A new passphrase, typed twice."""
    answer: str = typer.prompt("New passphrase", hide_input=True, confirmation_prompt=True, err=True)
    return answer
