"""``tape-review models``: which weights the project knows, where each comes from, and which are on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from pipeline import model_catalog as catalog
from pipeline import settings
from pipeline.cli._shared.options import Config, Profile
from pipeline.settings import ModelsSettings


def models(
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the models that are missing to process a tape.")
    ] = False,
    training: Annotated[
        bool, typer.Option("--training", help="With --fetch: also download what only training needs.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    profile: Profile = None,
    config: Config = None,
) -> None:
    """List the models, or download the missing ones.

    The list shows what each model is, where it comes from, its license, its checksum, and whether it is installed.
    """
    chosen = settings.load(profile or (), config or ()).settings.models
    if fetch:
        wanted = [entry for entry in catalog.catalog() if training or entry.use == "run"]
        _fetch([entry for entry in wanted if not catalog.installed(entry, chosen)], chosen)
    if as_json:
        print(json.dumps([_row(entry, chosen) for entry in catalog.catalog()], indent=2))
    else:
        for line in _page(chosen):
            Console().print(line, highlight=False, soft_wrap=True)


def _fetch(entries: list[catalog.CatalogEntry], chosen: ModelsSettings) -> None:
    """Fetch the models one by one; the progress goes to the error stream, so that ``--json`` stays readable."""
    with Progress(console=Console(stderr=True)) as display:
        for entry in entries:
            task = display.add_task(f"{entry.name} ({_megabytes(entry)})", total=1.0)
            catalog.fetch(entry, chosen, lambda done, task=task: display.update(task, completed=done))  # type: ignore[misc]


def _row(entry: catalog.CatalogEntry, chosen: ModelsSettings) -> dict[str, object]:
    row = entry.model_dump(mode="json", exclude={"build"})
    return row | {
        "checksum": catalog.checksum(entry),
        "installed": catalog.installed(entry, chosen),
        "folder": str(catalog.root(chosen) / entry.name),
    }


def _page(chosen: ModelsSettings) -> Iterator[str]:
    """A paragraph a model: it holds too much for a table on a narrow terminal."""
    yield f"Models in {catalog.root(chosen)} (--json lists the checksum of each file)"
    for entry in catalog.catalog():
        state = "yes" if catalog.installed(entry, chosen) else "no" if entry.use == "run" else "no (training only)"
        yield f"\n[bold]{entry.name}[/bold]: {entry.what}"
        yield f"  for        {entry.purpose}"
        yield f"  from       {entry.upstream}, packed in {', '.join(entry.wheels)}"
        yield f"  licence    {entry.licence}"
        yield f"  checksum   {catalog.checksum(entry)[:12]}"
        yield f"  installed  {state}, {_megabytes(entry)}"


def _megabytes(entry: catalog.CatalogEntry) -> str:
    return f"{entry.size / 1e6:.0f} MB"
