"""A backup from before a link was used, or the lifting of a second step was stopped, brings neither back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import func, select

from pipeline.settings import TapesSettings
from pipeline.tapes.backup import backup, restore
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import Invitation, SecondStepLift
from pipeline.tapes.home import Home
from tests.tapes.conftest import NOON
from tests.tapes.group import sample_group


@pytest.mark.parametrize("of_an_older_program", [False, True])
def test_links_and_liftings_are_not_restored(
    home: Home,
    tapes_settings: TapesSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    of_an_older_program: bool,
) -> None:
    with home.database.writing() as session:
        ada, ben = sample_group(session, NOON).members[:2]
        session.add(Invitation(token_hash="x", kind="reset", person_id=ada.id, expires_at=NOON + DAY))  # noqa: S106
        session.add(SecondStepLift(person_id=ada.id, asked_by_id=ben.id, asked_at=NOON))
    if of_an_older_program:
        monkeypatch.setattr(backup, "LEFT_OUT", {"sessions"})
    made = backup.make(home, tmp_path / "one.backup", NOON)
    key = shutil.copy2(home.master.path, tmp_path / "key")
    elsewhere = tapes_settings.model_copy(update={"home": str(tmp_path / "elsewhere")})
    done = restore.restore(made.path, elsewhere, NOON + DAY, master=Path(key))
    assert done.made_at == NOON
    again = Home.open(elsewhere)
    with again.database.reading() as session:
        for table in (Invitation, SecondStepLift):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    again.close()
