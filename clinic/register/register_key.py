"""The one secret key that a register is kept with."""

from pydantic import SecretStr
from sqlalchemy import select

from clinic.conflict_free_insert import insert_if_new
from clinic.database import Database
from clinic.refusal import Refusal
from clinic.register.address import address_hash
from clinic.tables import RegisterKey


async def refuse_another_key(database: Database, key: SecretStr) -> None:
    """Look whether the key is the register's; the first one that comes becomes it.

    With another key, nobody who said stop or was forgotten would be known any more: the next
    campaign would write to them.

    Args:
        database: The clinic's database, prepared.
        key: The key of the suppression hashes.

    Raises:
        Refusal: The register was kept with another key.
    """
    mark = address_hash(key, "this register's key")
    async with database.reading() as session:
        found = await session.scalar(select(RegisterKey.key_hash))
    if found is None:
        async with database.writing() as session:
            await insert_if_new(session, RegisterKey, {"key_hash": mark})
    elif found != mark:
        raise Refusal(
            "REGRESA_SECRET_KEY is not the key that this register is kept with",
            "Set the key that was used before: with another one, who said stop or was forgotten "
            "would not be known any more.",
        )
