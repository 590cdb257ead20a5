"""Logging: JSON or console, bound to the workflow at hand, and never with personal data."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import activity
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

_TEMPORAL_EXTRAS = ("temporal_activity", "temporal_workflow")


def configure_logging(log_format: str, level: str) -> None:
    """Send every log line of the process, libraries' too, through one pipeline to stderr.

    Args:
        log_format: `console` for people, `json` for machines.
        level: Least severity that is logged.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _drop_color_message,
        _flatten_temporal,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[Processor]
    if log_format == "json":
        renderer = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # the pretty traceback prints local variables, patients' addresses among them
        plain = structlog.dev.plain_traceback
        colors = sys.stderr.isatty()
        renderer = [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # these write addresses and bodies at their lower levels
    for noisy in ("alembic", "aiosmtplib", "twilio", "aiosqlite", "asyncio", "httpx", "mail"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _drop_color_message(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop uvicorn's second copy of its message."""
    event.pop("color_message", None)
    return event


def _flatten_temporal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Lift the ids out of Temporal's own extras; its message repeats them, so cut it there."""
    for extra in _TEMPORAL_EXTRAS:
        context: dict[str, Any] | None = event.pop(extra, None)
        if context is not None:
            event["workflow_id"] = context.get("workflow_id")
            event.setdefault("attempt_number", context.get("attempt"))
            message = str(event["event"])
            event["event"] = message.partition(" ({")[0]
    return event


class LogContext(Interceptor):
    """Binds the workflow, and the attempt or campaign, to every line an activity logs."""

    def intercept_activity(
        self,
        next: ActivityInboundInterceptor,  # noqa: A002 - the SDK's own name
    ) -> ActivityInboundInterceptor:
        """Wrap an activity."""
        return _BoundActivity(next)


class _BoundActivity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        """Run an activity with its ids bound."""
        info = activity.info()
        bound = {"workflow_id": info.workflow_id, "activity": info.activity_type}
        for name in ("attempt_id", "campaign_id"):
            for argument in input.args:
                if (value := getattr(argument, name, None)) is not None:
                    bound[name] = value
        with structlog.contextvars.bound_contextvars(**bound):
            return await super().execute_activity(input)
