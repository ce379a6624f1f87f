"""``tape-review models``: which weights the project knows, where each comes from, and which are on this machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from pipeline import model_catalog as catalog
from pipeline import settings
from pipeline.cli._shared.options import Config, Profile
from pipeline.errors import ModelError
from pipeline.model_catalog.fetching import fetch as fetch_model
from pipeline.settings import ModelsSettings, Settings

_STATES = {"run": "no", "training": "no (training only)", "choice": "no (only where the settings name it)"}


def models(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help="With --fetch: download these, too.", show_default=False),
    ] = None,
    fetch: Annotated[
        bool,
        typer.Option("--fetch", help="Download the models that are missing to process a tape with these settings."),
    ] = False,
    training: Annotated[
        bool, typer.Option("--training", help="With --fetch: also download what only training needs.")
    ] = False,
    recommend: Annotated[
        bool,
        typer.Option("--recommend", help="Measure this machine, and name the speech recognizer that suits it."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    profile: Profile = None,
    config: Config = None,
) -> None:
    """List the models, download the missing ones, or find the one that suits this machine.

    The list shows what each model is, where it comes from, its license, its checksum, and whether it is installed.
    """
    loaded = settings.load(profile or (), config or ()).settings
    chosen = loaded.models
    if fetch:
        wanted = _wanted(names or (), loaded, training=training)
        _fetch([entry for entry in wanted if not catalog.installed(entry, chosen)], chosen)
    elif names:
        raise typer.BadParameter("name models together with --fetch")
    if recommend:
        _recommend(loaded, as_json=as_json)
    elif as_json:
        print(json.dumps([_row(entry, chosen) for entry in catalog.catalog(chosen)], indent=2))
    else:
        for line in _page(chosen):
            Console().print(line, highlight=False, soft_wrap=True)


def _wanted(names: Iterable[str], loaded: Settings, *, training: bool) -> list[catalog.CatalogEntry]:
    """The models to have: those of every run, those that the settings name, and those named here."""
    known = {entry.name: entry for entry in catalog.catalog(loaded.models)}
    for name in names:
        if name not in known:
            raise ModelError("M02", f"model {name!r}", "is unknown", f"name one of {', '.join(known)}")
    parts = loaded.diarization
    chosen_names = {loaded.transcription.model, parts.pipeline, parts.segmentation, parts.embedding, *names}
    uses = {"run", "training"} if training else {"run"}
    return [entry for entry in known.values() if entry.use in uses or entry.name in chosen_names]


def offer_missing(loaded: Settings) -> None:
    """Download the models that a tape needs and that are missing, if whoever sits at the terminal wants it.

    Where nobody sits there, nothing is downloaded: the first step that needs a model says how to get it.
    """
    missing = [entry for entry in _wanted((), loaded, training=False) if not catalog.installed(entry, loaded.models)]
    if not missing or not sys.stdin.isatty():
        return
    megabytes = sum(entry.size for entry in missing) // 1_000_000
    if typer.confirm(f"The speech models are missing. Download them ({megabytes} MB)?", default=True):
        _fetch(missing, loaded.models)


def _fetch(entries: list[catalog.CatalogEntry], chosen: ModelsSettings) -> None:
    """Fetch the models one by one; the progress goes to the error stream, so that ``--json`` stays readable."""
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as display:
        for entry in entries:
            task = display.add_task(entry.name, total=entry.size)
            fetch_model(
                entry,
                chosen,
                lambda done, task=task, size=entry.size: display.update(task, completed=done * size),  # type: ignore[misc]
            )


def _recommend(loaded: Settings, *, as_json: bool) -> None:
    """Print what each recognizer would need on this machine, and which one suits it."""
    from pipeline.speech import recommendation

    with Console(stderr=True).status("Measuring this machine"):
        expected = recommendation.expectations(recommendation.measure(loaded), loaded)
    best = recommendation.recommended(expected)
    if as_json:
        rows = [
            {
                "model": expectation.model.name,
                "minutes": round(expectation.minutes, 1),
                "memory_gb": round(expectation.memory / 1e9, 1),
                "download_mb": round(expectation.model.size / 1e6),
                "fits": expectation.fits,
                "recommended": expectation.model is best,
            }
            for expectation in expected
        ]
        print(json.dumps(rows, indent=2))
        return
    table = Table("recognizer", "languages", "download", "memory", "a tape of 20 minutes takes", "installed")
    for expectation in expected:
        entry = expectation.model
        languages = entry.whisper.languages if entry.whisper else ""
        time = f"about {max(1, round(expectation.minutes))} min"
        installed = "yes" if catalog.installed(entry, loaded.models) else "no"
        table.add_row(entry.name, languages, _megabytes(entry), f"{expectation.memory / 1e9:.1f} GB", time, installed)
    Console().print(table)
    Console().print(_advice(best, loaded), soft_wrap=True, highlight=False)


def _advice(best: catalog.CatalogEntry | None, loaded: Settings) -> str:
    measured = f"Times are estimates for {loaded.engines.cores} cores, from what Whisper base takes here."
    if best is None:
        return f"{measured} None is faster than the tape itself."
    if best.name == loaded.transcription.model:
        return f"{measured} {best.name}, which the settings name, suits this machine."
    fetch = "" if catalog.installed(best, loaded.models) else f" To have it, {catalog.fetch_command(best)};"
    return f"{measured} {best.name} suits this machine.{fetch} then set transcription.model to its name."


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
    for entry in catalog.catalog(chosen):
        state = "yes" if catalog.installed(entry, chosen) else _STATES[entry.use]
        yield f"\n[bold]{entry.name}[/bold]: {entry.what}"
        yield f"  for        {entry.purpose}"
        carrier = f"revision {entry.hub.revision[:12]}" if entry.hub else f"packed in {', '.join(entry.wheels)}"
        yield f"  from       {entry.upstream}, {carrier}"
        yield f"  licence    {entry.licence}"
        yield f"  checksum   {catalog.checksum(entry)[:12]}"
        yield f"  installed  {state}, {_megabytes(entry)}"


def _megabytes(entry: catalog.CatalogEntry) -> str:
    return f"{entry.size / 1e6:.0f} MB"
