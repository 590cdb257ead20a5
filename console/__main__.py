"""`python -m console` serves the product's doors."""

import sys
from typing import Annotated

import typer
import uvicorn

from activities.log_context import configure_logging
from channels import registry
from clinic.clinic import Clinic
from clinic.refusal import Refusal
from clinic.settings import PREFIX, ClinicSettings, load_settings
from console.app import build_app
from console.clock import utc_now
from console.engine import Engine

_LONGEST_HEADERS = 32 * 1024
"""Bytes of a request line with its headers."""
_KEEP_ALIVE_SECONDS = 5
_LAST_SECONDS = 20
"""When it is told to stop: longer than a body may take to arrive (`console.bounded_body`)."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8080,
) -> None:
    """Serve the call list, the patients' own pages, webhooks and bookings.

    Who signs in to the call list is said by `regresa accounts`.

    Example: python -m console --port 8080
    """
    try:
        settings = load_settings(ClinicSettings, PREFIX)
        configure_logging(settings.log_format, settings.log_level)
        clinic = Clinic(settings)
        channels = registry.in_use(settings.channels)
        engine = Engine.of(clinic, utc_now)
    except Refusal as refusal:
        typer.echo(f"console: {refusal}", err=True)
        sys.exit(2)
    uvicorn.run(
        build_app(clinic, channels, engine=engine),
        host=host,
        port=port,
        log_config=None,
        # patients' links stand in the request line: it is not logged
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=_LONGEST_HEADERS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_LAST_SECONDS,
    )


if __name__ == "__main__":
    app()
