"""`tape-review config`: which settings hold, and why."""

from __future__ import annotations

from pipeline.cli._shared.options import Config, Profile
from pipeline.cli._shared.tables import console


def config(profile: Profile = None, config: Config = None) -> None:
    """Show every setting, its value, and where the value comes from."""
    from rich.table import Table

    from pipeline import settings

    loaded = settings.load(profile or (), config or ())
    table = Table("setting", "value", "from", title="Settings")
    for name, origin in loaded.origins.items():
        section, key = name.split(".")
        table.add_row(name, repr(getattr(getattr(loaded.settings, section), key)), origin)
    console().print(table)
