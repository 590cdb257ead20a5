"""What the report and the exit code say of a run."""

from io import StringIO

import pytest
from rich.console import Console

from chaos.__main__ import exit_code
from chaos.figures import Kills
from chaos.report import print_results
from chaos.run import Result
from chaos.saboteur import quota_for
from chaos.verdict import Finding, Verdict

CLEAN = Verdict(
    attempts=1000,
    outcomes={"booked": 600, "exhausted": 390},
    with_person=10,
    messages={"email": 990, "sms": 700},
    submissions={"email": 1003, "sms": 700},
    folded=13,
    replies={"sms": 200},
    on_the_way=2,
    duplicates=(),
    losses=(),
    after_stop=(),
)
QUOTA = quota_for(1000)
RUN = Result(
    seed=4,
    seconds=300.4,
    state="/somewhere",
    quota=QUOTA,
    kills=QUOTA,
    gave_up={},
    faults={"twilio_500, taken": 7},
    calls={},
    in_time=True,
    verdict=CLEAN,
)
FOUND = (Finding(patient="C-00017", what="the sms step came 2 times: SM1, SM2"),)


def with_verdict(**changes: object) -> Result:
    return RUN.model_copy(update={"verdict": CLEAN.model_copy(update=changes)})


def printed(*results: Result) -> str:
    console = Console(file=StringIO(), width=100)
    print_results(list(results), console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("result", "code"),
    [
        pytest.param(RUN, 0, id="clean"),
        pytest.param(with_verdict(duplicates=FOUND), 1, id="a duplicate"),
        pytest.param(with_verdict(losses=FOUND), 1, id="a loss"),
        pytest.param(with_verdict(after_stop=FOUND), 1, id="written to after a stop"),
        pytest.param(RUN.model_copy(update={"in_time": False}), 1, id="hung"),
        pytest.param(RUN.model_copy(update={"kills": Kills(worker=3)}), 3, id="too few kills"),
    ],
)
def test_the_exit_code_tells_what_came_of_the_runs(result: Result, code: int) -> None:
    assert exit_code([result]) == code
    assert exit_code([RUN, result, RUN]) == code


def test_the_report_shows_kills_faults_and_what_was_folded() -> None:
    lines = [line.split() for line in printed(RUN).splitlines()]
    assert ["worker", str(QUOTA.worker)] in lines
    assert ["twilio", "500,", "taken", "7"] in lines
    assert ["mails", "taken", "again", "under", "their", "Message-ID", "13"] in lines
    assert ["a", "step", "twice", "to", "one", "patient", "0"] in lines


def test_the_report_names_each_finding_and_where_to_look() -> None:
    said = printed(with_verdict(duplicates=FOUND))
    assert "seed 4, twice: C-00017 the sms step came 2 times: SM1, SM2" in said
    assert "databases and logs are kept in /somewhere" in said
