"""The room as passkeys know it: by a name of its own addresses, never by a number."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import Request

from pipeline.review.auth import relying_party
from pipeline.review.network.reach import own_origins
from tests.review.conftest import Room


def request(room: Room, host: str) -> Request:
    scope: dict[str, Any] = {"type": "http", "app": room.app, "method": "GET", "path": "/", "query_string": b""}
    return Request(scope | {"scheme": "http", "headers": [(b"host", host.encode())], "server": ("127.0.0.1", 80)})


@pytest.mark.parametrize(
    ("address", "names", "host", "expected"),
    [
        ("https://review.example.org", (), "review.example.org", "https://review.example.org"),
        ("https://room.local:8787", ("192.168.1.5",), "room.local:8787", "https://room.local:8787"),
        ("https://100.64.0.7", ("room.tail1234.ts.net",), "room.tail1234.ts.net", "https://room.tail1234.ts.net"),
        ("http://127.0.0.1:8787", (), "localhost:8787", "http://localhost:8787"),
        ("http://127.0.0.1:8787", (), "127.0.0.1:8787", None),
        ("https://room.local", ("fd00::2",), "[fd00::2]", None),
        ("https://room.local", (), "evil.example", None),
    ],
)
def test_passkeys_are_bound_to_the_name_by_which_the_room_was_opened(
    room: Room, address: str, names: tuple[str, ...], host: str, expected: str | None
) -> None:
    room.app.state.context.origins = own_origins(address, names)
    here = relying_party.of(request(room, host))
    assert (here and here.origins) == ((expected,) if expected else None)
    assert here is None or here.rp_id == host.partition(":")[0]


def test_a_number_leads_to_a_name_where_there_is_one(room: Room) -> None:
    asked = request(room, "192.168.1.5")
    room.app.state.context.origins = own_origins("https://192.168.1.5", ("room.local",))
    assert relying_party.named_address(asked) == "https://room.local"
    room.app.state.context.origins = own_origins("https://192.168.1.5")
    assert relying_party.named_address(asked) == ""
