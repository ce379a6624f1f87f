"""Opening the home that a verb works on: by `--home`, the settings, or the user's data folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.tapes.home import Home


def settings_with_home(profile: Sequence[str] | None, config: Sequence[Path] | None, home: Path | None) -> Settings:
    """Return the settings, with the folder of the home that ``--home`` names."""
    from pipeline import settings

    loaded = settings.load(profile or (), config or ()).settings
    if home is None:
        return loaded
    return loaded.model_copy(update={"tapes": loaded.tapes.model_copy(update={"home": str(home.resolve())})})


@contextmanager
def open_home(
    home: Path | None, config: Sequence[Path] | None = None, profile: Sequence[str] | None = None
) -> Iterator[Home]:
    """Open the home while a verb works; prompts for the passphrase when it is needed."""
    from pipeline.tapes.home import Home

    tapes_home = Home.open(settings_with_home(profile, config, home).tapes, ask_passphrase)
    try:
        yield tapes_home
    finally:
        tapes_home.close()


def ask_passphrase() -> str:
    """Prompt for the passphrase of the master key."""
    answer: str = typer.prompt("Passphrase of the master key", hide_input=True, err=True)
    return answer


def ask_new_passphrase() -> str:
    """Prompt for a new passphrase, typed twice."""
    answer: str = typer.prompt("New passphrase", hide_input=True, confirmation_prompt=True, err=True)
    return answer


def warn_of_little_memory(home: Home) -> None:
    """Print now what would otherwise show in the middle of a backup: too little room in memory, and the remedy."""
    from pipeline.tapes.checks import storage

    if shortage := storage.memory_shortage(home):
        typer.echo(f"Warning: {shortage}", err=True)
