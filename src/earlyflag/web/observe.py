"""What is told of each request: a correlation id, a log line and figures, never the URL."""

from __future__ import annotations

import os
import re
import secrets
import time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from earlyflag.core.logging import get_logger

CORRELATION_HEADER = "X-Correlation-ID"
MANY_PROCESSES = "PROMETHEUS_MULTIPROC_DIR"
_GIVEN = re.compile(r"^[0-9a-f]{16,64}$")
UNMATCHED = "(no such page)"


def new_correlation_id() -> str:
    """Return a fresh id: 128 bits as text."""
    return secrets.token_hex(16)


class Figures:
    """The counters behind `/metrics`; one registry an app, so that tests do not share."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "earlyflag_requests_total",
            "Requests answered, by route template",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "earlyflag_request_seconds",
            "Seconds until a request was answered, by route template",
            ["method", "route"],
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.3, 0.5, 1, 2.5, 5),
        )
        self.ready = Gauge(
            "earlyflag_ready", "1 when every readiness check passed last", registry=self.registry,
            multiprocess_mode="livemostrecent",
        )  # fmt: skip

    def text(self) -> bytes:
        """Return the figures in the exposition format; of all processes, where there are several.

        The entry point that starts several names the folder in which they keep them.
        """
        if MANY_PROCESSES not in os.environ:
            return generate_latest(self.registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)


def route_template(scope: Scope) -> str:
    """Return the matched route as declared, such as `/households/{household_id}`."""
    return str(getattr(scope.get("route"), "path", None) or UNMATCHED)


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Observed:
    """Middleware that gives each request its id and writes its log line and figures."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self.app = app
        self.figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and tell of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(CORRELATION_HEADER, "")
        correlation_id = given if _GIVEN.match(given) else new_correlation_id()
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        status = 500
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[CORRELATION_HEADER] = correlation_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            self._tell(scope, status, time.perf_counter() - started, correlation_id)

    def _tell(self, scope: Scope, status: int, seconds: float, correlation_id: str) -> None:
        route = route_template(scope)
        if route == UNMATCHED and scope["path"].startswith("/static/"):
            return
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.figures.requests.labels(method, route, str(status)).inc()
        self.figures.seconds.labels(method, route).observe(seconds)
        fields: dict[str, Any] = {
            "route": route,
            "method": method,
            "status": status,
            "seconds": round(seconds, 4),
            "correlation_id": correlation_id,
        }
        role = scope["state"].get("role")
        if role:
            fields["role"] = role
        get_logger().info("request", **fields)
