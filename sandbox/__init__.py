"""Stand-ins on loopback for what the clinic's messages meet outside: mail, Twilio, patients.

The sandbox speaks to the rest of the product over the wire only, by SMTP and HTTP, so what holds
against it holds for the same reasons against the real providers.
"""

from sandbox.settings import SandboxSettings
from sandbox.stand_ins import CannotStartError, PortTakenError, Sandbox

__all__ = ["CannotStartError", "PortTakenError", "Sandbox", "SandboxSettings"]
