"""A register is kept with one key: with another, nobody's no would be known any more."""

import pytest
from pydantic import SecretStr

from clinic.clinic import Clinic
from clinic.refusal import Refusal
from clinic.register.register_key import refuse_another_key


async def test_the_first_key_becomes_the_registers_and_opens_it_again(clinic: Clinic) -> None:
    for _ in range(2):
        await refuse_another_key(clinic.database, clinic.key)


async def test_another_key_is_refused_and_changes_nothing(clinic: Clinic) -> None:
    await refuse_another_key(clinic.database, clinic.key)
    for _ in range(2):
        with pytest.raises(Refusal, match="REGRESA_SECRET_KEY is not the key"):
            await refuse_another_key(clinic.database, SecretStr("another" * 6))
    await refuse_another_key(clinic.database, clinic.key)
