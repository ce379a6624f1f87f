"""The output folder holds whole results or none."""

import errno
import json
import os
from pathlib import Path

import pytest

from pipeline.errors import OutputError
from pipeline.run.output import PROVENANCE, Output


def fill(output: Output, run: str) -> None:
    results = output.fresh()
    (results / PROVENANCE).write_text(json.dumps({"run": run}))
    (results / "utterances.csv").write_text(f"results of {run}")


def published(folder: Path, run: str) -> Output:
    output = Output(folder)
    with output.opened():
        fill(output, run)
        output.publish()
    return output


@pytest.mark.parametrize("make", [lambda folder: None, Path.mkdir], ids=["absent", "empty"])
def test_results_appear_whole_and_nothing_else_stays(tmp_path: Path, make) -> None:
    folder = tmp_path / "tape"
    make(folder)
    output = published(folder, "r1")
    assert sorted(path.name for path in folder.iterdir()) == [PROVENANCE, "utterances.csv"]
    assert not output.partial.exists()
    assert output.holds("r1")


def test_nothing_is_there_before_it_is_whole(tmp_path: Path) -> None:
    output = Output(tmp_path / "tape")
    with output.opened():
        fill(output, "r1")
        assert not output.folder.exists()
        assert not output.holds("r1")


def test_partial_folder_is_the_owners_alone_and_outlives_a_failure(tmp_path: Path) -> None:
    output = Output(tmp_path / "tape")
    with pytest.raises(RuntimeError), output.opened():
        fill(output, "r1")
        raise RuntimeError("killed")
    assert output.partial.stat().st_mode & 0o077 == 0
    assert not output.folder.exists()


def test_results_of_a_killed_run_are_begun_anew(tmp_path: Path) -> None:
    output = Output(tmp_path / "tape")
    (output.fresh() / "stale.csv").write_text("half a ta")
    assert list(output.fresh().iterdir()) == []


def test_other_results_are_kept_unless_told_otherwise(tmp_path: Path) -> None:
    output = published(tmp_path / "tape", "r1")
    with pytest.raises(OutputError, match="TR-O02"):
        output.holds("r2")
    assert not output.holds("r2", overwrite=True)
    published(tmp_path / "tape", "r2")
    assert (tmp_path / "tape" / "utterances.csv").read_text() == "results of r2"


def test_results_that_lack_a_file_or_shall_be_replaced_are_made_anew(tmp_path: Path) -> None:
    output = published(tmp_path / "tape", "r1")
    files = [PROVENANCE, "utterances.csv"]
    assert output.holds("r1", files)
    assert not output.holds("r1", files, overwrite=True)
    (output.folder / "utterances.csv").unlink()
    assert not output.holds("r1", files)


def test_what_a_group_laid_beside_its_results_stays(tmp_path: Path) -> None:
    folder = published(tmp_path / "tape", "r1").folder
    (folder / "notes.txt").write_text("ask Ben")
    (folder / "meeting").mkdir()
    (folder / "meeting" / "agenda.txt").write_text("tea")
    published(folder, "r2")
    assert (folder / "utterances.csv").read_text() == "results of r2"
    assert (folder / "notes.txt").read_text() == "ask Ben"
    assert (folder / "meeting" / "agenda.txt").read_text() == "tea"


def test_what_a_group_laid_there_outlives_a_kill_at_the_last_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = published(tmp_path / "tape", "r1").folder
    (folder / "notes.txt").write_text("ask Ben")
    rename = Path.rename

    def killed(self: Path, target: Path) -> Path:
        if target == folder:
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", killed)
        published(folder, "r2")
    assert not folder.exists()
    published(folder, "r2")
    assert (folder / "utterances.csv").read_text() == "results of r2"
    assert (folder / "notes.txt").read_text() == "ask Ben"


@pytest.mark.parametrize("overwrite", [False, True])
def test_folder_with_something_else_is_never_touched(tmp_path: Path, overwrite: bool) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear friend")
    with pytest.raises(OutputError, match="TR-O01"):
        Output(folder).holds("r1", overwrite=overwrite)
    assert (folder / "letter.txt").read_text() == "dear friend"


def test_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "tape").write_text("a file")
    with pytest.raises(OutputError, match="TR-O01"):
        Output(tmp_path / "tape").holds("r1")


def test_second_run_at_the_same_time_is_refused(tmp_path: Path) -> None:
    with Output(tmp_path / "tape").opened():
        with pytest.raises(OutputError, match="TR-O03"), Output(tmp_path / "tape").opened():
            pass
    with Output(tmp_path / "tape").opened():
        pass


def test_folder_under_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="TR-O04"), Output(tmp_path / "file" / "tape").opened():
        pass


def test_full_disk_is_a_clear_error_and_other_failures_stay_what_they_are(tmp_path: Path) -> None:
    output = Output(tmp_path / "tape")
    with pytest.raises(OutputError, match="TR-O04.*No space left"), output.opened():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(FileNotFoundError), output.opened():
        raise FileNotFoundError(errno.ENOENT, "a bug of ours")
