"""Models that lie on a model hub: pinned to a revision, checked by size and SHA-256, resumed where a download stopped.

This process stays offline: a child of its own downloads (`pipeline.model_catalog.hub_download`), and only from where
the catalog says. ``HF_ENDPOINT`` names another hub with the same interface, such as an agency's mirror; ``HF_TOKEN``
is the token for models whose owners ask for an account.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pipeline.errors import ModelError
from pipeline.files import sha256
from pipeline.model_catalog import CatalogEntry, HubSource, ModelFile
from pipeline.run.progress import Progress

_AGAIN = "run the command again: it goes on where it stopped"
_COPY = "or copy the model's folder from another machine"


def fetch(entry: CatalogEntry, fresh: Path, downloads: Path, scratch: Path, progress: Progress) -> list[Path]:
    """Write a model's files into the new folder ``fresh``; return the folder in ``downloads`` that they came from.

    Raises
    ------
    ModelError: M05 a file is not the one that the catalog names, M08 the hub cannot be reached, M09 it asks for a
    token, M10 it has this revision or file no more.
    """
    source = entry.hub
    if source is None:
        raise ValueError(f"{entry.name} lies on no hub")
    arrived = downloads / f"{entry.name}-{source.revision[:12]}"
    done = 0
    for file in entry.files:
        path = arrived / file.name
        if not path.is_file():
            partial = path.with_name(path.name + ".partial")
            partial.parent.mkdir(parents=True, exist_ok=True)
            before = done
            _download(entry, source, file, partial, lambda size, before=before: progress((before + size) / entry.size))  # type: ignore[misc]
            if (partial.stat().st_size, sha256(partial)) != (file.size, file.sha256):
                raise _altered(entry, file, partial)
            os.replace(partial, path)
        done += file.size
        progress(done / entry.size)
    for file in entry.files:
        target = fresh / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(arrived / file.name, target)
    return [arrived]


def _download(entry: CatalogEntry, source: HubSource, file: ModelFile, partial: Path, progress: Progress) -> None:
    """Bring one file into ``partial``, from where an earlier try left off; progress in bytes."""
    request = {
        "repository": source.repository,
        "revision": source.revision,
        "name": file.name,
        "size": file.size,
        "partial": str(partial),
    }
    command = [sys.executable, "-m", "pipeline.model_catalog.hub_download", json.dumps(request)]
    online = os.environ | {"HF_HUB_OFFLINE": "0"}
    outcome: dict[str, str] = {"failure": "other", "reason": "the download was stopped"}
    with subprocess.Popen(command, env=online, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours, no shell
        for line in process.stdout or ():
            message = json.loads(line)
            if "bytes" in message:
                progress(message["bytes"])
            else:
                outcome = message
    if process.returncode:
        raise _failed(entry, source, file, partial, outcome)


def _altered(entry: CatalogEntry, file: ModelFile, partial: Path) -> ModelError:
    """The error for a file that is not the catalog's; what came of it goes, so that the next try starts anew."""
    partial.unlink(missing_ok=True)
    value = "has another checksum or size than the catalog's"
    return ModelError("M05", f"file {file.name} of model {entry.name}", value, f"nothing was saved; try again, {_COPY}")


def _failed(
    entry: CatalogEntry, source: HubSource, file: ModelFile, partial: Path, outcome: dict[str, str]
) -> ModelError:
    """The error of a download that failed, by what the child says of it."""
    model = f"model {entry.name}"
    match outcome["failure"]:
        case "altered":
            return _altered(entry, file, partial)
        case "gated":
            page = f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co')}/{source.repository}"
            has_token = outcome["token"] == "yes"  # noqa: S105 - whether there is one
            reason = "your token does not open it" if has_token else "HF_TOKEN holds no token"
            remedy = f"accept its conditions at {page}, make a token there that may read, and set HF_TOKEN to it"
            return ModelError("M09", model, f"asks for an account: {reason}", remedy)
        case "gone":
            value = f"is not on the hub any more ({file.name} at revision {source.revision[:12]})"
            return ModelError("M10", model, value, f"update Tape Review, {_COPY}")
        case _:
            return ModelError("M08", model, f"cannot be downloaded ({outcome['reason']})", _AGAIN)
