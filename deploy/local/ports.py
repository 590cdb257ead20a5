"""Ports of this machine: who listens where, and where nobody does."""

import socket

from deploy.local.settings import HOST


def is_free(port: int) -> bool:
    """Whether a program may listen there; where its last one has just stopped it may."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether a program listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
