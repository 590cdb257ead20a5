"""Commands for whoever says who may sign in to the console."""

import sys
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.accounts import (
    Role,
    create,
    disable,
    enable,
    everybody,
    named,
    refuse_language,
    refuse_name,
    set_password,
    set_role,
)
from clinic.audit import Action, note
from clinic.clinic import Clinic
from clinic.multilingual import LANGUAGES
from clinic.passwords import SHORTEST, refuse_password
from clinic.refusal import Refusal
from clinic.tables import Account
from commands import terminal
from commands.audited import login_name
from commands.options import AsJson
from commands.running import now, run_with_clinic

app = typer.Typer()
accounts = typer.Typer(name="accounts", no_args_is_help=True)
app.add_typer(accounts)

Name = Annotated[str, typer.Argument(help="The account's name, whatever its case.")]
FromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from standard input, its first line."),
]
_ROLES = "staff (call list, cards), ops (all but accounts and forgetting), admin"


@accounts.callback()
def _accounts() -> None:
    """Say who may sign in to the console, and as what.

    Example: `regresa accounts add Vera --role staff`
    """


@accounts.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What colleagues see on a claimed call.")],
    role: Annotated[Role, typer.Option(help=f"One of: {_ROLES}.")],
    language: Annotated[
        str,
        typer.Option(help=f"One of: {', '.join(LANGUAGES)}; else the browser says it."),
    ] = "",
    *,
    password_stdin: FromStdin = False,
) -> None:
    """Make an account; its password is asked for, at least 12 characters.

    Examples:
    - `regresa accounts add Vera --role staff --language es`
    - `pass show regresa/vera | regresa accounts add Vera --role staff --password-stdin`
    """

    async def run(clinic: Clinic) -> None:
        # before anybody is asked for a password
        refuse_language(language)
        async with clinic.database.reading() as session:
            await refuse_name(session, name)
        password = _password(name, from_stdin=password_stdin)
        async with clinic.database.writing() as session:
            account = await create(session, name, role, password, now=now(), language=language)
            await _note(session, account, Action.ACCOUNT_MADE, role=account.role)
        terminal.console.print(f"{account.name} may sign in as {account.role}.")

    run_with_clinic(context, run)


@accounts.command(name="list")
def list_accounts(context: typer.Context, as_json: AsJson = False) -> None:
    """List the accounts, also those that are disabled.

    Example: `regresa accounts list`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.reading() as session:
            found = await everybody(session)
        if as_json:
            terminal.print_json([_shown(account) for account in found])
            return
        if not found:
            terminal.console.print(
                "Nobody can sign in yet. Make an account: regresa accounts add NAME --role admin"
            )
            return
        zone = clinic.profile.zone
        table = terminal.new_table("Account", "role", "language", "last signed in", "disabled")
        for account in found:
            seen, disabled = (
                terminal.local(moment, zone) if moment else ""
                for moment in (account.signed_in_at, account.disabled_at)
            )
            table.add_row(
                account.name, account.role, account.language, seen or "never yet", disabled
            )
        terminal.console.print(table)

    run_with_clinic(context, run)


@accounts.command()
def password(context: typer.Context, name: Name, password_stdin: FromStdin = False) -> None:
    """Give an account another password; whoever is signed in by it has to sign in again.

    Example: `regresa accounts password Vera`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.reading() as session:
            shown = (await _account(session, name)).name
        given = _password(shown, from_stdin=password_stdin)
        async with clinic.database.writing() as session:
            account = await _account(session, name)
            await set_password(session, account, given, now=now())
            await _note(session, account, Action.ACCOUNT_CHANGED, change="password")
        terminal.console.print(f"{shown} has another password; open sessions are over.")
        if account.disabled_at is not None:
            terminal.console.print(f"It stays disabled: regresa accounts enable {shown} lets it in")

    run_with_clinic(context, run)


@accounts.command(name="disable")
def disable_account(context: typer.Context, name: Name) -> None:
    """Let nobody sign in by an account any more; whoever is signed in by it is out at once.

    Example: `regresa accounts disable Vera`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.writing() as session:
            account = await _account(session, name)
            changed = await disable(session, account, now=now())
            if changed:
                await _note(session, account, Action.ACCOUNT_CHANGED, change="disabled")
        said = "can't sign in any more" if changed else "was disabled before; nothing changes"
        terminal.console.print(f"{account.name} {said}.")

    run_with_clinic(context, run)


@accounts.command(name="enable")
def enable_account(context: typer.Context, name: Name) -> None:
    """Let an account that was disabled sign in again.

    Example: `regresa accounts enable Vera`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.writing() as session:
            account = await _account(session, name)
            changed = await enable(session, account)
            if changed:
                await _note(session, account, Action.ACCOUNT_CHANGED, change="enabled")
        said = "may sign in again" if changed else "was not disabled; nothing changes"
        terminal.console.print(f"{account.name} {said}.")

    run_with_clinic(context, run)


@accounts.command(name="role")
def give_role(
    context: typer.Context,
    name: Name,
    role: Annotated[Role, typer.Argument(help=f"One of: {_ROLES}.")],
) -> None:
    """Give an account another role, from its next click on.

    Example: `regresa accounts role Vera ops`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.writing() as session:
            account = await _account(session, name)
            changed = await set_role(session, account, role)
            if changed:
                await _note(session, account, Action.ACCOUNT_CHANGED, change="role", role=role)
        said = f"is {role} now" if changed else f"was {role} before; nothing changes"
        terminal.console.print(f"{account.name} {said}.")

    run_with_clinic(context, run)


async def _account(session: AsyncSession, name: str) -> Account:
    """Return the account that somebody means.

    Raises:
        Refusal: There is none of this name.
    """
    found = await named(session, name)
    if found is None:
        raise Refusal(f"no account `{name}`", "`regresa accounts list` shows them all.")
    return found


def _password(name: str, *, from_stdin: bool) -> str:
    """Return the password that is given: by a person twice, by a program on standard input.

    Raises:
        Refusal: It is not allowed, or there is nobody to be asked.
    """
    if from_stdin:
        given = _first_line()
    elif sys.stdin.isatty():
        asked = f"Password for {name} (at least {SHORTEST} characters)"
        given = typer.prompt(asked, hide_input=True, confirmation_prompt=True)
    else:
        raise Refusal(
            "nobody is here to be asked for the password; nothing was changed",
            "Give it on standard input: --password-stdin",
        )
    refuse_password(given, name)
    return given


def _first_line() -> str:
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Refusal("--password-stdin: the password is not in UTF-8") from None


async def _note(session: AsyncSession, account: Account, action: Action, **details: str) -> None:
    await note(
        session,
        who=login_name(),
        action=action,
        now=now(),
        subject=account.id,
        details=details,
    )


def _shown(account: Account) -> dict[str, object]:
    fields = ("id", "name", "role", "language", "created_at", "signed_in_at", "disabled_at")
    return {field: getattr(account, field) for field in fields}
