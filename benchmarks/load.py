"""A small load generator: keep-alive connections that ask again as soon as they are answered."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Ask:
    """One HTTP request, ready to be sent."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self, port: int) -> bytes:
        """Return the request as bytes of HTTP/1.1."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True)
class Answers:
    """What one run of the generator measured."""

    requests_per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    failed: int


def run(port: int, asks: Sequence[Ask], *, connections: int, seconds: float) -> Answers:
    """Send requests over some connections for a while, after a short warm-up of the same kind."""
    sent = [ask.encoded(port) for ask in asks]
    asyncio.run(_run(port, sent, connections, min(2.0, seconds / 3)))
    times, failed, took = asyncio.run(_run(port, sent, connections, seconds))
    times.sort()
    return Answers(
        round(len(times) / took, 1),
        round(1000 * times[len(times) // 2], 2),
        round(1000 * times[min(len(times) - 1, int(0.99 * len(times)))], 2),
        failed,
    )


async def _run(
    port: int, sent: Sequence[bytes], connections: int, seconds: float
) -> tuple[list[float], int, float]:
    requests = itertools.cycle(sent)
    times: list[float] = []
    failures: list[int] = []
    start = time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() - start < seconds:
            asked = time.perf_counter()
            writer.write(next(requests))
            status = await _answer(reader)
            times.append(time.perf_counter() - asked)
            if status != 200:
                failures.append(status)
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    return times, len(failures), time.perf_counter() - start


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read one answer whole and return its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    for line in head.split("\r\n"):
        if line.startswith("content-length:"):
            await reader.readexactly(int(line.split(":")[1]))
            return int(head.split(" ", 2)[1])
    while True:  # chunked
        size = int((await reader.readline()).strip() or b"0", 16)
        await reader.readexactly(size + 2)
        if size == 0:
            return int(head.split(" ", 2)[1])
