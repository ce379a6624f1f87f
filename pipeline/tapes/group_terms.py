"""Names and terms that a group listens for on all of its tapes, such as a clinic or a medication: sealed, as a town may
tell who a client is. What is heard on one tape alone is kept with that tape (`jobs.steps.JobOptions`).
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.errors import SettingsError
from pipeline.settings import Settings, listed_terms, with_terms
from pipeline.tapes.db.records import Group
from pipeline.tapes.vault.vault import HOME, Vault

TEXT = "groups.terms"
"""Where the list lies, for the seal."""


def read(vault: Vault, group: Group) -> tuple[str, ...]:
    """Return a group's names and terms."""
    if group.sealed_terms is None:
        return ()
    return listed_terms(vault.unseal(HOME, group.sealed_terms, TEXT).decode())


def store(vault: Vault, group: Group, terms: Sequence[str], settings: Settings) -> None:
    """Store a group's names and terms; none take the list away.

    Raises
    ------
    SettingsError: S03 with those of the settings they are too many, or one is too long.
    """
    with_terms(settings, terms)
    group.sealed_terms = vault.seal(HOME, "\n".join(terms).encode(), TEXT) if terms else None


def joined(vault: Vault, group: Group, terms: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """Return what a tape of the group listens for: the group's names and terms, and the tape's own.

    Raises
    ------
    SettingsError: S03 with those of the settings they are too many, or one is too long.
    """
    of_group = read(vault, group)
    try:
        with_terms(settings, (*of_group, *terms))
    except SettingsError as error:
        if not of_group:
            raise
        thing = f"{error.thing}, {len(of_group)} of them those of group {group.name!r},"
        raise SettingsError("S03", thing, error.value, error.remedy) from error
    return tuple(dict.fromkeys((*of_group, *terms)))
