"""The made-up group: nobody in it receives mail, and it is made once."""

from __future__ import annotations

import pytest

from pipeline.errors import TapesError
from pipeline.tapes import people, sample_group
from pipeline.tapes.home import Home
from tests.tapes.conftest import NOON


def test_eight_peers_of_whom_one_coordinates_and_a_coach(home: Home) -> None:
    with home.database.writing() as session:
        group = sample_group.add_group(session, NOON)
        roles = {member.person.name: member.role for member in people.members(session, group, NOON)}
        addresses = {member.person.email for member in people.members(session, group, NOON)}
        admins = [member.person.name for member in people.members(session, group, NOON) if member.person.is_admin]
    peers = dict.fromkeys(sample_group.PEERS, "member")
    assert roles == peers | {sample_group.COORDINATOR: "coordinator", sample_group.COACH: "coach"}
    assert all(address.endswith(".invalid") for address in addresses)
    assert admins == ["Ada"]
    with pytest.raises(TapesError, match="TR-K08"), home.database.writing() as session:
        sample_group.add_group(session, NOON)
