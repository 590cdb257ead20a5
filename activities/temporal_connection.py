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
        Refusal: Nobody answers there; it says how to start a server.
    """
    found = ClientConfig.load_client_connect_config()
    target = found.setdefault("target_host", "localhost:7233")
    try:
        async with asyncio.timeout(_SECONDS):
            return await Client.connect(**found, data_converter=pydantic_data_converter, **options)
    except (RuntimeError, RPCError, TimeoutError) as error:
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
