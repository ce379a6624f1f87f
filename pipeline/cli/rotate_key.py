"""`tape-review rotate-key`: a new master key."""

from __future__ import annotations

from functools import cache
from typing import Annotated

import typer

from pipeline.cli._shared.options import As, Config, Home


def rotate_key(
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Lock the new key with a passphrase, or with a new passphrase.")
    ] = False,
    by: As = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Make a new master key, and encrypt every tape's key with it.

    The tapes themselves are not encrypted again. If the command is stopped halfway, run it again. Backups that you made
    before still need the old master key, so keep it as long as you keep them.

    If a key service holds the key, first have it provide the new key, a comma and the current key. Remove the old key
    afterwards.
    """
    from pipeline.cli._shared.home_access import ask_new_passphrase, ask_passphrase, open_home
    from pipeline.tapes import audit_log, people
    from pipeline.tapes.clock import now
    from pipeline.tapes.vault import key_rotation
    from pipeline.tapes.vault.master_key import MasterKey

    with open_home(home, config) as tapes_home:
        with tapes_home.database.reading() as session:
            actor = people.actor(session, by)
        becoming = MasterKey(
            tapes_home.master.path, cache(ask_new_passphrase if passphrase else ask_passphrase), anew=passphrase
        )
        changed = key_rotation.rotate(tapes_home.vault, becoming, "passphrase" if passphrase else None)
        with tapes_home.database.writing() as session:
            audit_log.record(session, now(), actor, "key.rotate", thing=f"{changed} keys")
    typer.echo(f"wrapped {changed} keys with a new master key")
