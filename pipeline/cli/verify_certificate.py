"""`tape-review verify-certificate`: was this tape destroyed, and who says so?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify_certificate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The certificate.")],
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The group's public key (certificate-key.pub), which you got separately."),
    ] = None,
) -> None:
    """Check a certificate of destruction.

    It needs nothing but the file, neither a home nor a network.
    """
    from pipeline.tapes.retention import certificates

    checked = certificates.read(file, key)
    facts = checked.facts
    typer.echo(f"tape {facts['tape']} was destroyed on {facts['destroyed_utc']} UTC ({facts['why']})")
    typer.echo(f"{len(facts['files'])} files and {sum(facts['records'].values())} records: {facts['method']}")
    for what in ("exports", "backups"):
        typer.echo(f"{what}: " + ", ".join(f"{count} {name}" for name, count in sorted(facts[what].items())))
    for sentence in facts.get("not known", ()):
        typer.echo(f"not known: {sentence}")
    if checked.known:
        typer.echo("signed with the key that was given; unaltered")
    else:
        typer.echo(f"unaltered; signed with the key {checked.fingerprint}: ask the group whether it is theirs")
