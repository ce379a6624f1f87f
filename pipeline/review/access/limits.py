"""How often somebody may try to sign in: so often an account, so often from an address, within a quarter of an hour.

An attempt is counted before its password is looked at, so that many at once are counted too. An address or an account
that does not exist is counted like one that does.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import delete, func, select

from pipeline.tapes.clock import MINUTE
from pipeline.tapes.home import Home
from pipeline.tapes.records import LoginAttempt

WINDOW = 15 * MINUTE
A_ACCOUNT, A_ADDRESS = 10, 60


def counted(home: Home, now: int, account: str, address: str) -> bool:
    """Count an attempt; whether it may be looked at."""
    keys = {_key("account", account): A_ACCOUNT, _key("address", address): A_ADDRESS}
    with home.database.writing() as database:
        database.execute(delete(LoginAttempt).where(LoginAttempt.at <= now - WINDOW))
        for key, most in keys.items():
            number = select(func.count()).select_from(LoginAttempt).where(LoginAttempt.key_hash == key)
            if (database.scalar(number) or 0) >= most:
                return False
        database.add_all(LoginAttempt(at=now, key_hash=key) for key in keys)
    return True


def forgiven(home: Home, account: str) -> None:
    """Forget the attempts on an account whose owner came in."""
    with home.database.writing() as database:
        database.execute(delete(LoginAttempt).where(LoginAttempt.key_hash == _key("account", account)))


def _key(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind} {value.strip().lower()}".encode()).hexdigest()
