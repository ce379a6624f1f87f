"""The networks that this computer is on: its addresses, its names, and who is near. Nothing is sent to find out."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

import psutil

from pipeline.review.network.authority import PRIVATE, Address, IPNetwork

TAILNET = ip_network("100.64.0.0/10")

_VIRTUAL = ("docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "cni", "podman", "lxc")
"""How interfaces begin that lead to containers and virtual machines of this computer alone."""

_RANKED = tuple(map(ip_network, ("192.168.0.0/16", "10.0.0.0/8", "172.16.0.0/12")))


@dataclass(frozen=True)
class LocalNetwork:
    """The addresses and names of this computer on its networks.

    ``addresses``: the likeliest to work first. ``networks``: those that it is on. ``host``: its bare name, or "".
    ``tailnet``: its name in a tailnet, or "".
    """

    addresses: tuple[Address, ...]
    networks: tuple[IPNetwork, ...]
    host: str = ""
    tailnet: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every address and name, as in a link; the likeliest to work first."""
        named = (f"{self.host}.local", self.host) if self.host else ()
        tailnet = (self.tailnet,) if self.tailnet else ()
        return (*map(str, self.addresses), *named, *tailnet)

    def is_near(self, host: str) -> bool:
        """Whether somebody at this address is on this computer, on a private network, or on one that it is on."""
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in (*PRIVATE, *self.networks))


def current() -> LocalNetwork:
    """Read this computer's interfaces."""
    addresses: dict[Address, bool] = {}
    networks = []
    up = psutil.net_if_stats()
    for interface, given in psutil.net_if_addrs().items():
        if interface in up and not up[interface].isup:
            continue
        for each in given:
            if each.family not in (socket.AF_INET, socket.AF_INET6):
                continue
            address = ip_address(each.address.partition("%")[0])
            if address.is_loopback or address.is_link_local or address.is_unspecified:
                continue
            addresses[address] = interface.startswith(_VIRTUAL)
            networks.append(ip_network(f"{address}/{_mask(each.netmask) or address.max_prefixlen}", strict=False))
    ordered = sorted(addresses, key=lambda address: (addresses[address], _rank(address)))
    host = socket.gethostname().partition(".")[0].lower()
    tailnet = _tailnet_name() if any(address in TAILNET for address in ordered) else ""
    return LocalNetwork(tuple(ordered), tuple(dict.fromkeys(networks)), host if host != "localhost" else "", tailnet)


def _rank(address: Address) -> tuple[int, int]:
    private = next((rank for rank, network in enumerate(_RANKED) if address in network), len(_RANKED))
    return (address.version, private + (address in TAILNET))


def _mask(netmask: str | None) -> int | str:
    """A netmask as `ip_network` reads it, dotted for IPv4, a number of bits for IPv6; "" where there is none."""
    if netmask is None:
        return ""
    return int(ip_address(netmask)).bit_count() if ":" in netmask else netmask


def _tailnet_name(command: Sequence[str] = ("tailscale", "status", "--json", "--peers=false")) -> str:
    """The name of this computer in its tailnet, if the tailnet's own program is here and says so."""
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run([program, *command[1:]], capture_output=True, timeout=5, check=True)  # noqa: S603
        name = json.loads(done.stdout)["Self"]["DNSName"]
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError):
        return ""
    return str(name).rstrip(".").lower()
