"""`python -m deploy.local.command_line`: run `regresa` commands, one after the other.

It reads a line of JSON for each, the arguments, and answers with one: the exit code and what the
command wrote. The commands are those that people type; what is saved is the start of Python, which
takes longer than they do.
"""

import json
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from typer.testing import CliRunner

if TYPE_CHECKING:
    from typer import Typer


def main() -> None:
    """Serve until there are no more lines."""
    (regresa,) = entry_points(group="console_scripts", name="regresa")
    app: Typer = regresa.load()
    for line in sys.stdin:
        result = CliRunner().invoke(app, json.loads(line))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        answer = {"code": result.exit_code, "output": result.stdout, "errors": result.stderr}
        print(json.dumps(answer), flush=True)  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
