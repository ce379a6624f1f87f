"""A room for a group, served on a real port: TLS for others, plain HTTP for this computer, and nothing in between."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives import serialization

from pipeline.errors import ReviewError
from pipeline.review import doors
from pipeline.review.doors import OpenRoom
from pipeline.review.network import authority
from pipeline.review.network.authority import Authority
from pipeline.review.network.local_network import LocalNetwork
from pipeline.settings import Settings, load
from pipeline.tapes.clock import now
from pipeline.tapes.home import Home
from tests.review.coding.server import free_port
from tests.review.conftest import PASSWORD, Room

HERE = LocalNetwork((ip_address("127.0.0.2"),), (ip_network("127.0.0.0/8"),), "ada")
"""A second address of this computer stands for the local network."""


def room_settings(**given: object) -> Settings:
    settings = load().settings
    review = settings.review.model_copy(update={"port": free_port(), **given})
    return settings.model_copy(update={"review": review})


@contextmanager
def running(room: OpenRoom) -> Iterator[OpenRoom]:
    server = uvicorn.Server(room.server)
    thread = threading.Thread(target=lambda: server.run(sockets=list(room.sockets)), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield room
    finally:
        server.should_exit = True
        thread.join(20)


def trusting(home: Home) -> ssl.SSLContext:
    certificate = authority.certificate_of(home)
    assert certificate
    return ssl.create_default_context(cadata=authority.pem(certificate))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> list[LocalNetwork]:
    """Where the computer is; loopback stands for others, who are told from the computer itself by their address."""
    monkeypatch.setattr("pipeline.review.doors.is_loopback", lambda host: host in ("127.0.0.1", "localhost"))
    monkeypatch.setattr("pipeline.review.middleware.doorway.is_loopback", lambda host: host == "127.0.0.1")
    return [HERE]


@pytest.fixture
def served(home: Home, network: list[LocalNetwork]) -> Iterator[OpenRoom]:
    with doors.encrypted(home, room_settings(), network=lambda: network[0]) as made, running(made) as running_room:
        yield running_room


def from_elsewhere(port: int, sent: bytes) -> bytes:
    """What the room answers to bytes that come from another address."""
    with socket.create_connection(("127.0.0.2", port), source_address=("127.0.0.3", 0), timeout=20) as client:
        client.sendall(sent)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
        return answer


def test_others_come_in_by_tls_and_the_host_without(home: Home, served: OpenRoom) -> None:
    assert served.reach.address == f"https://127.0.0.2:{served.reach.port}"
    assert served.here == f"http://127.0.0.1:{served.reach.port}"
    others = httpx.get(f"{served.reach.address}/login", verify=trusting(home))
    assert others.status_code == 200
    assert others.headers["strict-transport-security"] == "max-age=86400"  # a name of this computer, with other servers
    assert all("Secure" in cookie and cookie.startswith("__Host-") for cookie in others.headers.get_list("set-cookie"))
    host = httpx.get(f"{served.here}/login")
    assert host.status_code == 200
    assert "strict-transport-security" not in host.headers
    assert "Secure" not in host.headers["set-cookie"]


def test_who_comes_without_tls_is_led_to_it_and_sees_no_form(served: OpenRoom) -> None:
    port = served.reach.port
    answer = from_elsewhere(port, b"GET /invitation/abc?x=1 HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 307 ")
    assert f"Location: {served.reach.address}/invitation/abc?x=1\r\n".encode() in answer
    assert b"<form" not in answer
    for sent in (b"POST /login HTTP/1.1\r\n\r\n", b"GET http://evil.example/ HTTP/1.1\r\n\r\n", b"\0\0\0"):
        assert f"Location: {served.reach.address}/\r\n".encode() in from_elsewhere(port, sent)


def test_a_password_that_is_sent_without_tls_reaches_no_account(room: Room, served: OpenRoom) -> None:
    room.person("Ben")
    body = f"email=ben@example.org&password={PASSWORD}".encode()
    head = f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{served.reach.port}\r\nContent-Length: {len(body)}\r\n\r\n"
    assert from_elsewhere(served.reach.port, head.encode() + body).startswith(b"HTTP/1.1 307 ")
    with room.home.database.reading() as database:
        assert database.connection().exec_driver_sql("select count(*) from login_attempts").scalar() == 0


def test_a_name_that_is_not_the_computer_s_is_refused(home: Home, served: OpenRoom) -> None:
    for name, status in (("evil.example", 400), ("127.0.0.1", 200), ("ada.local", 200), ("[::1]", 200)):
        headers = {"host": f"{name}:{served.reach.port}"}
        answer = httpx.get(f"{served.reach.address}/login", headers=headers, verify=trusting(home))
        assert answer.status_code == status, name


def test_a_computer_that_moves_is_found_at_its_new_address(home: Home, network: list[LocalNetwork]) -> None:
    with doors.encrypted(home, room_settings(), network=lambda: network[0], every=0.05) as room, running(room):
        port, led_to = room.reach.port, room.server.http.address  # type: ignore[union-attr]
        network[0] = LocalNetwork((ip_address("127.0.0.9"),), (ip_network("127.0.0.0/8"),), "ada")
        while led_to() != f"https://127.0.0.9:{port}":
            time.sleep(0.01)
        answer = httpx.get(f"https://127.0.0.9:{port}/certificate", verify=trusting(home))
        assert answer.status_code == 200
        assert f"https://127.0.0.9:{port}" in answer.text
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"https://127.0.0.2:{port}/login", verify=trusting(home))


def test_a_stranger_from_elsewhere_is_let_in_by_no_door(home: Home, network: list[LocalNetwork]) -> None:
    far = LocalNetwork((ip_address("127.0.0.2"),), (), "ada")
    with doors.encrypted(home, room_settings(), network=lambda: far) as room:
        admits = room.server.http.admits  # type: ignore[union-attr]
        assert admits("192.168.3.4")
        assert not admits("203.0.113.5")


def test_a_certificate_of_the_settings_serves_its_address(home: Home, tmp_path: Path) -> None:
    signer = Authority.of(home, now())
    certificate, key = signer.issue(["ada.local"], now())
    (tmp_path / "chain.pem").write_text(authority.pem(certificate))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    files = {
        "certificate_file": str(tmp_path / "chain.pem"),
        "certificate_key_file": str(tmp_path / "key.pem"),
    }
    with pytest.raises(ReviewError, match=r"TR-R12 .*review.address"), doors.encrypted(home, room_settings(**files)):
        pass
    settings = room_settings(**files, address="https://ada.local")
    with doors.encrypted(home, settings) as room, running(room):
        assert room.reach.address == "https://ada.local"
        assert room.reach.fingerprint == ""
        with httpx.Client(verify=trusting(home)) as client:
            answer = client.get(
                f"https://127.0.0.1:{settings.review.port}/login",
                headers={"host": "ada.local"},
                extensions={"sni_hostname": "ada.local"},
            )
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"].endswith("includeSubDomains")


def test_a_public_name_without_a_certificate_is_refused(home: Home) -> None:
    settings = room_settings(address="https://review.example.org")
    with pytest.raises(ReviewError, match=r"TR-R12 .*certificate_file"), doors.encrypted(home, settings):
        pass


def test_a_computer_on_no_network_says_so(home: Home) -> None:
    alone = LocalNetwork((), ())
    with pytest.raises(ReviewError, match="TR-R12 this computer is on no network"):
        with doors.encrypted(home, room_settings(), network=lambda: alone):
            pass


def test_a_room_behind_a_proxy_lets_nobody_else_in(home: Home) -> None:
    settings = room_settings(host="127.0.0.2", address="https://review.example.org", trusted_proxies=("127.0.0.9",))
    with doors.behind_a_proxy(home, settings) as room:
        admits = room.server.http._admits  # type: ignore[union-attr]
        assert admits("127.0.0.9")
        assert not admits("192.168.1.5")


@pytest.mark.parametrize("begun", [b"", b"\x16\x03"], ids=["nothing", "half a handshake"])
def test_many_connections_that_say_little_are_cut_off_per_address(
    served: OpenRoom, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr("pipeline.review.middleware.connection.MOST", 3)
    open_ones = [
        socket.create_connection(("127.0.0.2", served.reach.port), source_address=("127.0.0.4", 0), timeout=20)
        for _ in range(3)
    ]
    for each in open_ones:
        each.sendall(begun)
    at_once = served.server.http.at_once  # type: ignore[union-attr]
    while at_once["127.0.0.4"] < 3:
        time.sleep(0.01)
    open_ones.append(
        socket.create_connection(("127.0.0.2", served.reach.port), source_address=("127.0.0.4", 0), timeout=20)
    )
    try:
        assert open_ones[-1].recv(1) == b""
    except ConnectionResetError:
        pass
    finally:
        for each in open_ones:
            each.close()
    while at_once["127.0.0.4"]:  # who has left is not counted
        time.sleep(0.01)
    assert httpx.get(f"{served.here}/login").status_code == 200
