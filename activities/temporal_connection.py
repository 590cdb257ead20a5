"""The way to Temporal: its own TEMPORAL_* variables and TOML profile, and a quick, clear no."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import RPCError

from activities.names import SEARCH_ATTRIBUTES
from clinic.refusal import Refusal

_SECURED = ("tls", "api_key")
_DEFAULT_NAMESPACE = "default"
"""The SDK's own."""
_SECONDS = 4.0
"""A person at a command line is told within five seconds."""

_GREETING_SECONDS = 2.0
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""The HTTP/2 preface with empty settings (RFC 9113, 3.4); every gRPC server answers it."""


async def connect(**options: Any) -> Client:
    """Connect to the Temporal service that the environment names.

    Args:
        options: What `temporalio.client.Client.connect` takes besides the connection itself.

    Raises:
        Refusal: Temporal's own settings can't be read, or nobody answers where they point; it
            says how to start a server.
    """
    found = _settings()
    target = found.setdefault("target_host", "localhost:7233")
    try:
        async with asyncio.timeout(_SECONDS):
            # a connection the SDK gave up on leaves its thread alive, which may abort our exit
            is_plain = not any(given.get(key) for given in (found, options) for key in _SECURED)
            await _greet(target, is_plain=is_plain)
            return await Client.connect(**found, data_converter=pydantic_data_converter, **options)
    except (RuntimeError, ValueError, RPCError, OSError) as error:
        raise Refusal(
            f"no Temporal at {target}",
            "Start one on this machine with `make run` (or `temporal server start-dev`), or point "
            "TEMPORAL_ADDRESS at yours.",
        ) from error


def namespace() -> str:
    """Return the namespace that the environment names.

    Raises:
        Refusal: Temporal's own settings can't be read.
    """
    return str(_settings().get("namespace") or _DEFAULT_NAMESPACE)


async def register_search_attributes(client: Client) -> list[str]:
    """Register the product's search attributes in the client's namespace.

    Returns:
        The names that were not there before.

    Raises:
        Refusal: The service does not let its attributes be registered this way.
    """
    try:
        return await _register(client)
    except RPCError as error:
        names = ", ".join(f"{key.name} (Keyword)" for key in SEARCH_ATTRIBUTES)
        raise Refusal(
            f"Temporal did not register the search attributes: {error.message}",
            f"Register them for the namespace `{client.namespace}` as its administrator (on "
            f"Temporal Cloud with its web page or `tcld namespace search-attributes add`): {names}",
        ) from error


def _settings() -> ClientConnectConfig:
    try:
        return ClientConfig.load_client_connect_config()
    except RuntimeError as error:
        # the first line alone: the others may quote a key
        reason = str(error).partition("\n")[0]
        raise Refusal(
            f"Temporal's settings can't be read: {reason}",
            "Check TEMPORAL_PROFILE, and the TOML file that TEMPORAL_CONFIG_FILE names.",
        ) from None


async def _greet(target: str, *, is_plain: bool) -> None:
    """Look whether anybody answers; a target that can't be read is left to the SDK.

    Raises:
        OSError: Nobody does; TimeoutError is one.
    """
    try:
        host, port = (parts := urlsplit(f"//{target}")).hostname, parts.port
    except ValueError:
        return
    if not host or not port:
        return
    async with asyncio.timeout(_GREETING_SECONDS):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            if is_plain:
                writer.write(_GREETING)
                await reader.readexactly(1)
        except asyncio.IncompleteReadError:
            raise ConnectionResetError(f"{target} hung up") from None
        finally:
            writer.close()


async def _register(client: Client) -> list[str]:
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = [key for key in SEARCH_ATTRIBUTES if key.name not in listed.custom_attributes]
    if missing:
        keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes={key.name: keyword for key in missing},
            )
        )
    return [key.name for key in missing]
