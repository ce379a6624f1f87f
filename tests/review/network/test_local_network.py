"""The networks that a computer is on, read off its interfaces."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from pipeline.review.network import local_network


def interface(address: str, netmask: str | None) -> SimpleNamespace:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return SimpleNamespace(family=family, address=address, netmask=netmask)


@pytest.fixture
def laptop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A laptop in a wireless network and in a tailnet, with containers, and a cable that is not plugged in."""
    given = {
        "lo": [interface("127.0.0.1", "255.0.0.0"), interface("::1", None)],
        "docker0": [interface("172.17.0.1", "255.255.0.0")],
        "tailscale0": [interface("100.101.102.103", "255.255.255.255")],
        "eth0": [interface("10.9.9.9", "255.0.0.0")],
        "wlan0": [
            interface("fe80::1%wlan0", "ffff:ffff:ffff:ffff::"),
            interface("2001:db8:1::7", "ffff:ffff:ffff:ffff::"),
            interface("192.168.1.5", "255.255.255.0"),
        ],
        "wwan0": [interface("203.0.113.9", "255.255.255.240")],
    }
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: given)
    monkeypatch.setattr(psutil, "net_if_stats", lambda: {name: SimpleNamespace(isup=name != "eth0") for name in given})
    monkeypatch.setattr(socket, "gethostname", lambda: "Ada-Laptop.example.org")
    program = tmp_path / "tailscale"
    program.write_text("""#!/bin/sh\necho '{"Self": {"DNSName": "Ada-Laptop.tail1234.ts.net."}}'\n""")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_the_likeliest_address_stands_first_and_containers_last(laptop: None) -> None:
    assert local_network.current().names == (
        "192.168.1.5",
        "203.0.113.9",
        "100.101.102.103",
        "2001:db8:1::7",
        "172.17.0.1",
        "ada-laptop.local",
        "ada-laptop",
        "ada-laptop.tail1234.ts.net",
    )


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.0.0.1", True),
        ("192.168.1.77", True),
        ("10.1.1.1", True),
        ("::ffff:192.168.1.77", True),
        ("fe80::5%wlan0", True),
        ("203.0.113.14", True),  # in its own network of sixteen
        ("203.0.113.17", False),
        ("2001:db8:1::99", True),
        ("2001:db8:2::99", False),
        ("8.8.8.8", False),
        ("", False),
        ("ben", False),
    ],
)
def test_who_is_near(laptop: None, host: str, near: bool) -> None:
    assert local_network.current().is_near(host) is near


def test_a_tailnet_program_that_says_nothing_of_use_is_no_error(laptop: None, tmp_path: Path) -> None:
    for text in ("exit 1", "echo '[]'", "echo '{\"Self\": null}'", "echo x"):
        (tmp_path / "tailscale").write_text(f"#!/bin/sh\n{text}\n")
        assert local_network.current().tailnet == ""


def test_this_computer_s_addresses_are_addresses() -> None:
    for name in local_network.current().addresses:
        assert not ip_address(str(name)).is_loopback
