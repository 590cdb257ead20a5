"""What a person who knows the tables would write for the example's segments.

Several wordings of each were tried on a register of a million; these were the soonest to answer.
"""

# ruff: noqa: S608 - every word of it stands in this file
from datetime import date, timedelta

from benchmarks.large_register import NOW

_TODAY = NOW.date()
_ONE_PERSON = "p.erased_at IS NULL AND p.duplicate_of IS NULL"
_FREE = (
    "NOT EXISTS (SELECT 1 FROM appointments a WHERE a.patient_id = p.id "
    "AND a.at > '2026-11-21 17:00:00.000000{utc}')"
)


def _ago(days: int) -> date:
    return _TODAY - timedelta(days=days)


def _born(*, over: int, under: int) -> str:
    """Return who is older than `over`, on the day or before it, and not yet `under`."""
    first, last = (_TODAY.replace(year=_TODAY.year - years) for years in (under, over))
    return f"p.birth_date > '{first}' AND p.birth_date <= '{last}'"


def _had(*treatments: str) -> str:
    listed = ", ".join(f"'{treatment}'" for treatment in treatments)
    return f"p.id IN (SELECT patient_id FROM visits WHERE treatment IN ({listed}))"


def _not_since(days: int) -> str:
    return (
        f"NOT EXISTS (SELECT 1 FROM visits v WHERE v.patient_id = p.id AND v.day >= '{_ago(days)}')"
    )


def _lapsed(days: int) -> str:
    before = f"SELECT 1 FROM visits v WHERE v.patient_id = p.id AND v.day < '{_ago(days)}'"
    return f"EXISTS ({before}) AND {_not_since(days)}"


def _grouped(having: str, where: str = "") -> str:
    return f"p.id IN (SELECT patient_id FROM visits {where} GROUP BY patient_id HAVING {having})"


_BY_THE_SEA = (
    "'Sunny Isles Beach', 'Hallandale Beach', 'Bal Harbour', 'Bay Harbor Islands', "
    "'Surfside', 'Miami Beach'"
)
_OURS = (
    "'price', 'waiting_time', 'pain_or_fear', 'hours', 'unhappy_with_result', 'unhappy_with_staff'"
)
_LATELY = "'2026-08-23 04:00:00.000000{utc}'"
"""The day 90 days ago began in New York."""
_CONTACTED = (
    "SELECT t.patient_id FROM attempts t JOIN messages m ON m.attempt_id = t.id "
    f"WHERE m.sent_at >= {_LATELY} AND m.failed_at IS NULL AND m.channel <> 'call' "
    "UNION ALL SELECT c.patient_id FROM call_tasks c JOIN calls l ON l.task_id = c.id "
    f"WHERE l.made_at >= {_LATELY}"
)
_CHILD = _born(over=0, under=18)
_ONCE = f"max(day) <= min(day) AND max(day) < '{_ago(120)}'"
_NOT_FINISHED = "p.loss_reason IS DISTINCT FROM 'finished_treatment'"
_BRACES_LEFT = _grouped(f"max(day) < '{_ago(90)}'", "WHERE treatment = 'orthodontics'")

_ON_BOTH = {
    "lapsed-orthodontics": f"{_had('orthodontics')} AND {_not_since(180)} AND {_FREE}",
    "orthodontics-not-continued": (
        f"{_had('orthodontics')} AND NOT EXISTS (SELECT 1 FROM visits v WHERE v.patient_id = p.id "
        f"AND v.treatment = 'orthodontics' AND v.day >= '{_ago(90)}') AND {_NOT_FINISHED} "
        f"AND {_FREE}"
    ),
    "prosthesis-control-due": f"{_had('prosthesis', 'implant')} AND {_not_since(365)} AND {_FREE}",
    "never-returned": f"{_grouped(_ONCE)} AND coalesce(p.reported_visits, 0) <= 1 AND {_FREE}",
    "children": f"{_CHILD} AND {_lapsed(180)} AND {_FREE}",
    "over-60": f"{_born(over=60, under=131)} AND {_lapsed(180)} AND {_FREE}",
    "lapsed-by-the-sea": f"p.district IN ({_BY_THE_SEA}) AND {_lapsed(180)} AND {_FREE}",
    "lapsed-russian-speaking": f"p.language = 'ru' AND {_lapsed(180)} AND {_FREE}",
    "not-contacted-lately": (
        f"{_lapsed(365)} AND NOT EXISTS (SELECT 1 FROM ({_CONTACTED}) r WHERE r.patient_id = p.id)"
        f" AND {_FREE}"
    ),
    "price-was-the-reason": "p.loss_reason = 'price'",
    "left-for-our-reasons": f"p.loss_reason IN ({_OURS}) AND p.status = 'active'",
}
_SOONER_ON_SQLITE = {
    "orthodontics-not-continued": f"{_BRACES_LEFT} AND {_NOT_FINISHED} AND {_FREE}",
    "children": (
        f"{_CHILD} AND (SELECT max(day) FROM visits v WHERE v.patient_id = p.id) < '{_ago(180)}' "
        f"AND {_FREE}"
    ),
    "not-contacted-lately": (
        _grouped(f"max(day) < '{_ago(365)}'") + f" AND p.id NOT IN ({_CONTACTED}) AND {_FREE}"
    ),
}

SEGMENTS = tuple(_ON_BOTH)
"""The segments of examples/clinic/segments that are measured: all of them."""


def query_of(segment: str, *, embedded: bool) -> str:
    """Return the count of a segment, written by hand.

    Args:
        segment: One of `SEGMENTS`.
        embedded: For SQLite, which stores moments without their zone; else for PostgreSQL.
    """
    where = _ON_BOTH[segment]
    if embedded:
        where = _SOONER_ON_SQLITE.get(segment, where)
    where = where.replace("{utc}", "" if embedded else "+00")
    return f"SELECT count(*) FROM patients p WHERE {_ONE_PERSON} AND {where}"
