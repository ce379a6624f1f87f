"""A new master key: every data key is wrapped anew, no file is touched. It can be interrupted and repeated."""

from __future__ import annotations

from pipeline.errors import VaultError
from pipeline.tapes.vault.master_key import VARIABLE, KeyKind, MasterKey, Ring
from pipeline.tapes.vault.vault import Vault


def rotate(vault: Vault, becoming: MasterKey, kind: KeyKind | None = None) -> int:
    """Change the master key; how many data keys were wrapped anew.

    Backups that were made before open with the master key of then.

    Parameters
    ----------
    becoming: where the master key is kept; asks for the passphrase that is to lock the new one, where one does.
    kind: how it is to be kept from now on; as now, unless given.

    Raises
    ------
    VaultError: V04 the environment holds one key only; V02, V05 to V08.
    """
    ring = vault.ring
    kind = kind or becoming.kind()
    if len(ring.masters) == 1:
        if kind == "environment":
            remedy = f"have the key service set {VARIABLE} to the new key, a comma, and the present one"
            raise VaultError("V04", "master key", "is followed by no other", remedy)
        ring = ring.followed_by(Ring.fresh())
        becoming.keep(ring, kind)
    changed = 0
    while wrapped := vault.rewrap(ring):  # until none is left: a tape may come in while we are at it
        changed += wrapped
    if kind != "environment":
        becoming.keep(ring.settled(), kind)
    return changed
