"""Listening sockets of a process and its descendants, as the operating system reports them."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, order=True)
class Listener:
    """A TCP socket that listens, or a UDP socket without a peer."""

    process: str
    protocol: str
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        address = ipaddress.ip_address(self.host)
        mapped = getattr(address, "ipv4_mapped", None)
        return bool((mapped or address).is_loopback)


def listeners(pid: int | None = None) -> set[Listener]:
    """All listeners of a process (by default this one) and of its descendants."""
    root = psutil.Process(pid)
    return {found for process in [root, *root.children(recursive=True)] for found in _of(process)}


def assert_loopback_only(pid: int | None = None) -> set[int]:
    """Fail if another machine can reach the process or a descendant. Returns the open ports."""
    found = listeners(pid)
    reachable = sorted(one for one in found if not one.is_loopback)
    assert not reachable, f"reachable from other machines: {reachable}"
    return {one.port for one in found}


def outside_addresses() -> list[str]:
    """The IPv4 addresses at which other machines can reach this one, if any."""
    found = [one.address for all_ in psutil.net_if_addrs().values() for one in all_ if one.family == socket.AF_INET]
    return [address for address in found if not ipaddress.ip_address(address).is_loopback]


def _of(process: psutil.Process) -> list[Listener]:
    try:
        name, connections = process.name(), process.net_connections(kind="inet")
    except psutil.NoSuchProcess:
        return []  # the process has ended
    return [
        Listener(name, "TCP" if one.type == socket.SOCK_STREAM else "UDP", one.laddr.ip, one.laddr.port)
        for one in connections
        if one.laddr and (one.status == psutil.CONN_LISTEN or (one.type == socket.SOCK_DGRAM and not one.raddr))
    ]
