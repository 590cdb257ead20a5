"""The sandbox as a program: ``python -m sandbox``, until it is told to stop."""

import argparse
import asyncio
import signal
import sys

import structlog
from pydantic import ValidationError
from pydantic_settings import SettingsError

from sandbox.settings import ENV_PREFIX, SandboxSettings
from sandbox.stand_ins import CannotStartError, Sandbox

_EXIT_CANNOT_START = 2

_EXAMPLES = f"""\
Everything is set by the environment ({ENV_PREFIX}...). The least that is needed:

  export {ENV_PREFIX}SMTP_PASSWORD=...          what SMTP clients log in with, user aurora
  export {ENV_PREFIX}CA_FILE=var/sandbox-ca.pem  written here, for SMTP clients to trust
  export {ENV_PREFIX}TWILIO_ACCOUNT_SID=AC...   AC and 32 hexadecimal digits
  export {ENV_PREFIX}TWILIO_AUTH_TOKEN=...      signs webhooks, too
  python -m sandbox

On other ports:

  {ENV_PREFIX}SMTP_PORT=2525 {ENV_PREFIX}HTTP_PORT=2526 python -m sandbox

With patients who answer after two to eight seconds:

  export {ENV_PREFIX}WEBHOOK_URL=http://127.0.0.1:8080/webhooks/sms
  export {ENV_PREFIX}REGISTER_FILE=examples/clinic/register.csv
  export {ENV_PREFIX}BOOKINGS_URL=http://127.0.0.1:8080/bookings
  export {ENV_PREFIX}BOOKINGS_TOKEN=...
  {ENV_PREFIX}PATIENTS=true {ENV_PREFIX}ANSWER_AFTER='[2, 8]' python -m sandbox

While it runs:

  curl http://127.0.0.1:8026/sandbox/messages
  curl http://127.0.0.1:8026/sandbox/patients
  curl -H 'Content-Type: application/json' http://127.0.0.1:8026/sandbox/inbound-sms \\
    -d '{{"from": "+13055550142", "to": "+15005550006", "body": "Hola"}}'

The addresses and numbers that force a fault are in sandbox/README.md.
"""


async def _serve_until_stopped(settings: SandboxSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    async with Sandbox(settings):
        await stop.wait()


def _explain(error: ValidationError) -> str:
    # Never the values: some of them are secrets.
    lines = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        names = [ENV_PREFIX + str(part).upper() for part in problem["loc"][:1]]
        lines.append(": ".join([*names, problem["msg"]]))
    return "\n".join(lines)


def main() -> None:
    """Run the sandbox; exit with 0 after SIGINT or SIGTERM, with 2 if it cannot start."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Stand-ins on loopback: an SMTP inbox, a Twilio look-alike, patients.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        settings = SandboxSettings()
        asyncio.run(_serve_until_stopped(settings))
    except ValidationError as error:
        parser.exit(_EXIT_CANNOT_START, f"{parser.prog}: {_explain(error)}\n")
    except (CannotStartError, SettingsError) as error:
        parser.exit(_EXIT_CANNOT_START, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
