"""A proxy that breaks things on purpose, in front of hawkBit or of a repository.

It runs on a thread of the test's own process and logs every request with the time of its arrival, so that a test can say
how often a device may ask a server that does not answer as it should. HTTP/1.1 as hawkBit, nginx and libcurl speak it:
one request after the other on a connection, bodies with a length or in chunks.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.lab.net import free_port
from tests.lab.run import Run

BLOCK = 16_384
HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Hotel Wi-Fi</h1></body></html>"
REASONS = {200: "OK", 404: "Not Found", 410: "Gone", 429: "Too Many Requests", 500: "Internal Server Error",
           503: "Service Unavailable"}


@dataclass
class Asked:
    """One request, by the clock CLOCK_MONOTONIC."""

    time: float
    method: str
    target: str
    fault: str = ""    # what was done to it; empty: it went through
    status: int = 0    # what the server answered, if it was asked
    sent: int = 0      # bytes of the answer that went to the device
    cut_at: float | None = None  # the part of the answer's body behind which the connection was reset


@dataclass
class Fault:
    """What happens to the requests that `hits`. All faults but these leave the others alone."""

    name: str
    status: int = 0                  # answer with this, without asking the server
    body: bytes | None = None        # … and with this body
    hang: bool = False               # take the request, never answer
    reset_at: float | None = None    # cut the answer after this part of it, with RST
    next_tenth: bool = False         # … and a tenth later each time
    truncate_at: float | None = None  # end the answer early, politely, with a length that fits what is sent
    change: Callable[[bytes], bytes] | None = None  # what becomes of the answer's body
    delay: float = 0                 # seconds before the answer begins
    rate: float = 0                  # bytes a second, for all connections together
    loss: float = 0                  # this part of the requests is dropped with RST (seeded)
    only: str = ""                   # only requests whose target contains this
    method: str = ""                 # … and that are of this method
    times: int = 0                   # only the first so many; 0: all

    def hits(self, asked: Asked) -> bool:
        return self.only in asked.target and (not self.method or self.method == asked.method)


@dataclass
class Log:
    requests: list[Asked] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.requests)

    @property
    def faulty(self) -> "Log":
        return Log([asked for asked in self.requests if asked.fault])

    def of(self, part_of_target: str, method: str = "") -> "Log":
        return Log([a for a in self.requests if part_of_target in a.target and (not method or a.method == method)])

    def most_within(self, seconds: float) -> int:
        """The most requests that arrived within any window of so many seconds."""
        times = sorted(asked.time for asked in self.requests)
        first = most = 0
        for last, now in enumerate(times):
            while now - times[first] > seconds:
                first += 1
            most = max(most, last - first + 1)
        return most


class _Cut(Exception):
    """The connection ends here, with RST."""


class Proxy:
    """Listens on all addresses. Give it a fault with fault(), take it away with fault(None)."""

    def __init__(self, run: Run, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self.port = free_port(run)
        self._log: list[Asked] = []
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._hits = 0
        self._random = random.Random(4)
        self._rate_free_at = 0.0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._call(self._listen())
        run.at_end(self.close)

    def url(self, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}"

    def fault(self, fault: Fault | None) -> None:
        """From the next request on. Requests under way end as they would have."""
        with self._lock:
            self._fault, self._hits = fault, 0

    def refuse(self) -> None:
        """Nobody listens any more, and open connections are gone."""
        self._call(self._stop_listening())

    def listen(self) -> None:
        self._call(self._listen())

    def drop_connections(self) -> None:
        """So that a device's kept connection meets the fault that follows at its next request, as a new one would."""
        self._call(self._drop())

    def log(self) -> Log:
        with self._lock:
            return Log(list(self._log))

    def since(self, before: Log) -> Log:
        return Log(self.log().requests[before.count:])

    def close(self) -> None:
        if not self._thread.is_alive():
            return
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    # --- inside, on the loop's thread ---------------------------------------

    def _call(self, coroutine: object) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)  # type: ignore[arg-type]

    async def _listen(self) -> None:
        if not self._server:
            self._server = await asyncio.start_server(self._serve, "0.0.0.0", self.port)

    async def _stop_listening(self) -> None:
        if self._server:
            self._server.close()
        self._server = None
        await self._drop()

    async def _drop(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except _Cut:
            _reset(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer. @return False when the client has gone"""
        head = await _head(reader)
        if not head:
            return False
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        asked = Asked(time.monotonic(), method, target)
        fault = self._note(asked)
        body = await reader.readexactly(_length(head) or 0)
        if fault and (fault.loss or fault.hang or fault.status):
            await self._answer_instead(fault, asked, writer)
            return True
        async with self._ask(head, body) as upstream:
            await self._pass_on(fault, asked, upstream, writer)
        return True

    def _note(self, asked: Asked) -> Fault | None:
        with self._lock:
            self._log.append(asked)
            fault = self._fault
            if not fault or not fault.hits(asked) or (fault.times and self._hits >= fault.times):
                return None
            if fault.loss and self._random.random() >= fault.loss:
                return None
            self._hits += 1
            asked.fault = fault.name
            return fault

    async def _answer_instead(self, fault: Fault, asked: Asked, writer: asyncio.StreamWriter) -> None:
        if fault.loss:
            raise _Cut
        if fault.hang:
            await asyncio.sleep(3600)
        await asyncio.sleep(fault.delay)
        body = fault.body if fault.body is not None else b""
        asked.status = fault.status
        kind = "text/html" if body.startswith(b"<") else "application/json"
        head = (f"HTTP/1.1 {fault.status} {REASONS.get(fault.status, 'Status')}\r\nContent-Type: {kind}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        await self._write(fault, asked, writer, head + (b"" if asked.method == "HEAD" else body))

    @contextlib.asynccontextmanager
    async def _ask(self, head: bytes, body: bytes) -> AsyncIterator[asyncio.StreamReader]:
        """Asks the server on a connection of its own. Host stays as the device wrote it: hawkBit makes links of it."""
        reader, writer = await asyncio.open_connection(self._upstream.hostname, self._upstream.port)
        try:
            lines = [line for line in head.rstrip().split(b"\r\n") if not line.lower().startswith(b"connection:")]
            writer.write(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
            await writer.drain()
            yield reader
        finally:
            writer.transport.abort()

    async def _pass_on(self, fault: Fault | None, asked: Asked, upstream: asyncio.StreamReader,
                       writer: asyncio.StreamWriter) -> None:
        head = await _head(upstream)
        asked.status = int(head.split(b" ", 2)[1])
        # Whole, since faults want to know how long it is: the lab's objects are small.
        body = b"" if asked.method == "HEAD" or asked.status in (204, 304) else await _body(upstream, head)
        length = len(body)
        if fault and fault.change:
            body = fault.change(body)
            length = len(body)
        if fault and fault.truncate_at is not None:
            body = body[:int(len(body) * fault.truncate_at)]
            length = len(body)
        lines = [line for line in head.rstrip().split(b"\r\n")
                 if line.split(b":")[0].lower() not in (b"content-length", b"transfer-encoding", b"connection")]
        answer = b"\r\n".join([*lines, b"Content-Length: %d" % length]) + b"\r\n\r\n" + body
        if fault:
            await asyncio.sleep(fault.delay)
        if fault and fault.reset_at is not None:
            part = asked.cut_at = fault.reset_at
            if fault.next_tenth:
                fault.reset_at = (part + 0.1) % 1
            await self._write(fault, asked, writer, answer[:len(answer) - length + int(length * part)])
            await asyncio.sleep(0.05)  # what was sent is to arrive: RST takes the rest away
            raise _Cut
        await self._write(fault, asked, writer, answer)

    async def _write(self, fault: Fault | None, asked: Asked, writer: asyncio.StreamWriter, data: bytes) -> None:
        rate = fault.rate if fault else 0
        block = max(256, int(rate / 20)) if rate else BLOCK
        for start in range(0, len(data), block):
            piece = data[start:start + block]
            if rate:
                await self._wait_for_turn(len(piece) / rate)
            writer.write(piece)
            await writer.drain()
            asked.sent += len(piece)

    async def _wait_for_turn(self, seconds: float) -> None:
        """All connections share the line."""
        now = time.monotonic()
        self._rate_free_at = max(self._rate_free_at, now) + seconds
        await asyncio.sleep(self._rate_free_at - now)


def _reset(writer: asyncio.StreamWriter) -> None:
    """abort() alone sends FIN when nothing waits to be sent; a linger of zero makes it RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _head(reader: asyncio.StreamReader) -> bytes:
    """Up to and with the empty line; empty when the other side has gone."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def _header(head: bytes, name: bytes) -> bytes | None:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return None


def _length(head: bytes) -> int | None:
    value = _header(head, b"content-length")
    return None if value is None else int(value)


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    length = _length(head)
    if length is not None:
        return await reader.readexactly(length)
    if (_header(head, b"transfer-encoding") or b"").lower() != b"chunked":
        return await reader.read()  # until it closes, as we asked it to
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    return body
