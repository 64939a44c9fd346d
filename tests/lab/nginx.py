"""nginx: a directory as static files, or a proxy in front of hawkBit. Counts what goes over the wire."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.net import free_port
from tests.lab.run import Process, Run
from tests.lab.tls import Certificate
from tests.lab.wait import until

CONFIG = """\
daemon off; master_process off; worker_processes 1; user root;
pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 512; }}
http {{
  log_format lab escape=json
    '{{"uri":"$request_uri","status":$status,"sent":$bytes_sent,"received":$request_length,"seconds":$request_time}}';
  access_log {directory}/access.log lab;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  types {{ }} default_type application/octet-stream;
  tcp_nodelay on; keepalive_timeout 75s; keepalive_requests 100000;
  server {{
    listen {port}{tls};
    {certificate}
    {places}
  }}
}}
"""

PROXY = """\
location / {{
  proxy_pass {upstream}; proxy_http_version 1.1; proxy_set_header Connection "";
  proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;
}}"""


@dataclass
class Request:
    uri: str
    status: int
    sent: int      # headers and body, without TCP and IP
    received: int
    seconds: float


@dataclass
class Traffic:
    requests: list[Request] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.requests)

    @property
    def bytes(self) -> int:
        return sum(request.sent for request in self.requests)

    def of(self, part_of_uri: str) -> "Traffic":
        return Traffic([request for request in self.requests if part_of_uri in request.uri])


class Nginx:
    """One server. It may be stopped and started again on the same port, and slowed down while it runs."""

    def __init__(self, run: Run, name: str, *, serve: Path | None = None, upstream: str | None = None,
                 tls: Certificate | None = None) -> None:
        assert (serve is None) != (upstream is None), "either files or a proxy"
        self._run, self._name, self._tls = run, name, tls
        self._serve, self._upstream = serve, upstream
        self._slow: dict[str, str] = {}
        self.directory = run.path(f"nginx-{name}")
        self.directory.mkdir()
        self.port = free_port(run)
        self.process: Process | None = None
        self.start()

    def url(self, host: str = "127.0.0.1") -> str:
        return f"http{'s' if self._tls else ''}://{host}:{self.port}"

    def start(self) -> None:
        self._write_config()
        # As master_process is off there is one process: stopping it closes every connection at once.
        process = self._run.start(f"nginx-{self._name}", ["nginx", "-p", self.directory, "-e", self.directory / "error.log",
                                                          "-c", self.directory / "nginx.conf"])
        self.process = process
        log = self.directory / "error.log"
        until(lambda: not process.alive() or _listens(self.port), f"nginx {self._name}'s start", 10)
        if not process.alive():
            raise RuntimeError(f"nginx {self._name} ended at its start:\n{process.tail()}\n{log.read_text()}")

    def stop(self) -> None:
        """Refuses connections from now on and drops the open ones."""
        if self.process:
            self.process.stop()
        self.process = None

    def slow(self, rate: str | None, location: str = "/objects/") -> None:
        """Limits each connection below `location` to so many bytes a second ("200k"); None takes the limit away."""
        self._slow.pop(location, None)
        if rate:
            self._slow[location] = rate
        self.stop()
        self.start()

    def traffic(self) -> Traffic:
        """All requests that have ended so far."""
        log = self.directory / "access.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return Traffic([Request(**json.loads(line)) for line in lines])

    def since(self, before: Traffic) -> Traffic:
        """The requests that ended since `before` was taken. nginx logs a request when it is over: give it a moment."""
        time.sleep(0.02)
        return Traffic(self.traffic().requests[before.count:])

    def _write_config(self) -> None:
        if self._upstream:
            places = PROXY.format(upstream=self._upstream)
        else:
            limits = "\n    ".join(f"location {where} {{ limit_rate {rate}; }}" for where, rate in self._slow.items())
            places = f"root {self._serve};\n    {limits}"
        certificate = f"ssl_certificate {self._tls.certificate}; ssl_certificate_key {self._tls.key};" if self._tls else ""
        (self.directory / "nginx.conf").write_text(CONFIG.format(
            directory=self.directory, port=self.port, tls=" ssl" if self._tls else "", certificate=certificate,
            places=places))


def _listens(port: int) -> bool:
    # Asked of the kernel, so that no request of ours gets into the log.
    wanted = f":{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, state = line.split()[1], line.split()[3]
        if local.endswith(wanted) and state == "0A":
            return True
    return False
