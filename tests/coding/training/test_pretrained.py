"""The pretrained encoder's files, as folders and archives hold them."""

import zipfile
from pathlib import Path

import pytest

from pipeline.coding.training import pretrained
from pipeline.errors import ModelError


def archived(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "encoder.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return folder


@pytest.mark.parametrize("top", ["", "encoder/"])
@pytest.mark.parametrize("first", [False, True])
def test_a_part_of_the_archive_may_have_files_of_the_same_name(tmp_path: Path, top: str, first: bool) -> None:
    files = {f"{top}config.json": b"whole", f"{top}1_Pooling/config.json": b"part", f"{top}tokenizer.json": b"{}"}
    ordered = dict(sorted(files.items(), reverse=not first))  # "1_Pooling" sorts before "config"
    assert pretrained.read(archived(tmp_path, ordered), pretrained.SETTINGS) == b"whole"
    assert pretrained.read(tmp_path, pretrained.TOKENIZER) == b"{}"


def test_a_file_of_the_folder_itself_comes_before_the_archive(tmp_path: Path) -> None:
    archived(tmp_path, {"config.json": b"archived"})
    (tmp_path / "config.json").write_bytes(b"own")
    assert pretrained.read(tmp_path, pretrained.SETTINGS) == b"own"


def test_what_lies_nowhere_is_named(tmp_path: Path) -> None:
    archived(tmp_path / "encoder", {"1_Pooling/settings.json": b"{}"})
    with pytest.raises(ModelError, match=r"TR-M07 pretrained encoder encoder has no valid config\.json"):
        pretrained.read(tmp_path / "encoder", pretrained.SETTINGS)
    (tmp_path / "encoder" / "encoder.zip").unlink()
    with pytest.raises(ModelError, match="TR-M07"):
        pretrained.read(tmp_path / "encoder", pretrained.SETTINGS)
