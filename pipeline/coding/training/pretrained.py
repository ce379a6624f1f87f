"""The pretrained encoder that fine-tuning starts from: a folder with its files, or with an archive of them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from pipeline.errors import ModelError

SETTINGS, STATE, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"


def read(folder: Path, name: str) -> bytes:
    """Return the content of a file of the encoder, from the folder itself or from the only archive in it.

    Raises
    ------
    ModelError: M07 the file is in neither.
    """
    try:
        if (folder / name).exists():
            return (folder / name).read_bytes()
        (archive,) = folder.glob("*.zip")
        with zipfile.ZipFile(archive) as opened:
            members = (member for member in opened.namelist() if member.rpartition("/")[2] == name)
            return opened.read(min(members, key=lambda member: member.count("/")))  # parts have such files, too
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        remedy = "fetch it again with `tape-review models --fetch`"
        raise ModelError("M07", f"pretrained encoder {folder.name}", f"has no valid {name}", remedy) from error
