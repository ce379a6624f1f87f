"""Handing in a tape, looking at the work on it, and taking it back, as a member types it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.main import app
from pipeline.cli.submit import EXAMPLE
from pipeline.errors import ConsentError, JobError, TableError, TapesError
from pipeline.formats.written_transcript import unpacked
from pipeline.settings import load
from pipeline.tapes.consent import consent_form
from pipeline.tapes.db.records import Item, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.jobs.steps import WRITTEN
from tests.tapes.fakes import ADDRESS, GROUP, TARGET, group, two_voices


@pytest.fixture
def folder(tmp_path: Path, home: Home) -> Path:
    """A folder with a home, a recording and a consent file."""
    group(home)
    two_voices(tmp_path / "session.wav")
    (tmp_path / "consent.toml").write_text(EXAMPLE.replace("2027-03-31", "2100-01-01"))
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--home", str(folder / "home")])


def submit(folder: Path, **changes: str) -> Result:
    given = {"consent": f"{folder}/consent.toml", "target-behavior": TARGET, "group": GROUP, "interviewer": ADDRESS}
    options = [word for name, value in (given | changes).items() for word in (f"--{name}", value)]
    return run(folder, "submit", str(folder / "session.wav"), *options)


def test_the_example_is_a_consent(tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["submit", "--example-consent"])
    (tmp_path / "consent.toml").write_text(printed.stdout)
    assert consent_form.read(tmp_path / "consent.toml").pseudonym == "Robin"


def test_a_tape_comes_in_waits_is_stopped_tried_again_and_taken_back(folder: Path) -> None:
    (folder / "consent.toml").write_text((folder / "consent.toml").read_text() + 'form = "form.pdf"\n')
    (folder / "form.pdf").write_bytes(b"%PDF-1.7")
    done = submit(folder)
    assert done.exit_code == 0, done.output
    tape_id = re.search(r"Tape ([0-9a-f]{16}) is queued", done.stdout).group(1)  # type: ignore[union-attr]
    assert "No worker is running" in done.stderr
    shown = run(folder, "status")
    assert re.search(rf"{tape_id}.*queued.*0%", shown.stdout)
    assert re.search(rf"{tape_id}.*cancelled", run(folder, "status", tape_id, "--cancel").stdout)
    assert isinstance(run(folder, "status", tape_id, "--cancel").exception, JobError)
    assert re.search(rf"{tape_id}.*queued", run(folder, "status", tape_id, "--retry", "--as", ADDRESS).stdout)
    gone = run(folder, "withdraw", tape_id, "--yes", "--as", ADDRESS)
    assert gone.exit_code == 0, gone.output
    certificate = Path(gone.stdout.split("Certificate: ")[1].replace("\n", "").strip())
    checked = CliRunner().invoke(app, ["verify-certificate", str(certificate)])
    assert "(withdrawn)" in checked.stdout
    assert isinstance(run(folder, "status", tape_id).exception, JobError)
    assert tape_id not in run(folder, "status").stdout


def test_a_transcript_comes_in_with_the_recording(folder: Path) -> None:
    (folder / "talk.txt").write_text("Ann: What brings you?\nRobin: ZEBRA, my drinking.\nAnn: Tell me more.\n")
    done = submit(folder, transcript=f"{folder}/talk.txt", voice="Ann")
    assert done.exit_code == 0, done.output
    tape_id = re.search(r"Tape ([0-9a-f]{16}) is queued", done.stdout).group(1)  # type: ignore[union-attr]
    home = Home.open(load().settings.tapes.model_copy(update={"home": str(folder / "home")}))
    with home.database.reading() as session:
        item = session.query(Item).filter(Item.tape_id == tape_id, Item.kind == WRITTEN).one()
    assert unpacked(home.vault.read(item)).voices == {"Ann": "interviewer", "Robin": "client"}
    home.close()
    assert not [path for path in (folder / "home").rglob("*") if path.is_file() and b"ZEBRA" in path.read_bytes()]


def test_a_transcript_comes_in_without_a_recording(folder: Path) -> None:
    (folder / "talk.txt").write_text("Ann: What brings you?\nRobin: ZEBRA, my drinking.\n")
    options = ["--consent", f"{folder}/consent.toml", "--target-behavior", TARGET, "--group", GROUP]
    options += ["--interviewer", ADDRESS, "--transcript", f"{folder}/talk.txt", "--voice", "Ann"]
    done = run(folder, "submit", *options)
    assert done.exit_code == 0, done.output
    tape_id = re.search(r"Tape ([0-9a-f]{16}) is queued", done.stdout).group(1)  # type: ignore[union-attr]
    home = Home.open(load().settings.tapes.model_copy(update={"home": str(folder / "home")}))
    with home.database.reading() as session:
        assert session.get_one(Tape, tape_id).from_text
        assert [item.kind for item in session.query(Item).filter(Item.tape_id == tape_id)] == [WRITTEN]
    home.close()
    assert run(folder, "submit", *options, "--start", "1:00").exit_code == 2
    assert run(folder, "submit", *options[:8]).exit_code == 2
    (folder / "talk.txt").write_text("Ann: What brings you?\nAnn: My drinking.\n")
    assert isinstance(run(folder, "submit", *options[:-2]).exception, TableError)
    assert run(folder, "status").stdout.count("queued") == 1


def test_a_transcript_without_the_voice_that_is_named_is_refused_before_anything_is_kept(folder: Path) -> None:
    (folder / "talk.txt").write_text("Ann: What brings you?\nRobin: My drinking.\n")
    assert isinstance(submit(folder, transcript=f"{folder}/talk.txt", voice="Bo").exception, TableError)
    assert "queued" not in run(folder, "status").stdout


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"group": "Nobody's"}, TapesError),
        ({"interviewer": "eve"}, TapesError),
        ({"consent": "none.toml"}, ConsentError),
    ],
)
def test_what_is_wrong_is_told(folder: Path, changes: dict[str, str], error: type[Exception]) -> None:
    assert isinstance(submit(folder, **changes).exception, error)


@pytest.mark.parametrize(
    "arguments",
    [["x.wav", "--target-behavior", " "], ["x.wav", "--speakers", "few"], ["--target-behavior", "drinking less"]],
)
def test_what_makes_no_sense_is_a_usage_error(folder: Path, arguments: list[str]) -> None:
    given = ["--consent", f"{folder}/consent.toml", "--group", GROUP, "--interviewer", ADDRESS]
    target = [] if "--target-behavior" in arguments else ["--target-behavior", TARGET]
    result = run(folder, "submit", *arguments, *given, *target)
    assert result.exit_code == 2
    assert "Missing option" not in result.output
