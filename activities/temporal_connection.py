"""The way to Temporal: its own TEMPORAL_* variables and TOML profile, and a quick, clear no."""

import asyncio
from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

from activities.names import SEARCH_ATTRIBUTES
from clinic.refusal import Refusal

_SECONDS = 4.0
"""A person at a command line is told within five seconds."""


async def connect(**options: Any) -> Client:
    """Connect to the Temporal service that the environment names.

    Args:
        options: What `temporalio.client.Client.connect` takes besides the connection itself.

    Raises:
        Refusal: Temporal's own settings can't be read, or nobody answers where they point; it
            says how to start a server.
    """
    try:
        found = ClientConfig.load_client_connect_config()
    except RuntimeError as error:
        # the first line alone: the others may quote a key
        reason = str(error).partition("\n")[0]
        raise Refusal(
            f"Temporal's settings can't be read: {reason}",
            "Check TEMPORAL_PROFILE, and the TOML file that TEMPORAL_CONFIG_FILE names.",
        ) from None
    target = found.setdefault("target_host", "localhost:7233")
    try:
        async with asyncio.timeout(_SECONDS):
            return await Client.connect(**found, data_converter=pydantic_data_converter, **options)
    except (RuntimeError, ValueError, RPCError, TimeoutError) as error:
        raise Refusal(
            f"no Temporal at {target}",
            "Start one on this machine with `make run` (or `temporal server start-dev`), or point "
            "TEMPORAL_ADDRESS at yours.",
        ) from error


async def register_search_attributes(client: Client) -> list[str]:
    """Register the product's search attributes in the client's namespace.

    Returns:
        The names that were not there before.
    """
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
