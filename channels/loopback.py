"""Whether a host is this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Tell whether what is sent to a host never leaves this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
