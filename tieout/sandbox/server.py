"""Serves one stand-in over HTTP/1.1 on the local machine, with faults and a control path."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, Protocol, Self
from urllib.parse import unquote_to_bytes

from .control import Control
from .faults import Faults

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_LARGEST_BODY = 64 * 1024 * 1024


class StandIn(Protocol):
    """One provider. May also have `clock` (then it can be moved over HTTP) and `use_faults`."""

    name: str

    def credentials(self) -> dict[str, str]:
        """What a client needs to log in, named as in config.yaml."""
        ...

    def wsgi(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        ...

    def load(self, objects: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Take over (type, object as the API serves it): served back unchanged."""
        ...

    def error_answer(self, status: int) -> tuple[int, dict[str, str], bytes]:
        """The provider's own answer for a 401, 429, 5xx: status, headers, body."""
        ...


class Running:
    """A stand-in that answers at `url` until `stop` is called; a context manager."""

    def __init__(self, stand_in: StandIn, server: _Server, faults: Faults) -> None:
        self.stand_in = stand_in
        self.faults = faults
        self.port = int(server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name=f"sandbox-{stand_in.name}",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Answer no more; open connections are closed. Calling it twice does no harm."""
        close = getattr(self.stand_in, "close", None)
        if close is not None:
            close()
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join(timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.stop()


def serve(stand_in: StandIn, port: int = 0, faults: Faults | None = None) -> Running:
    """Serve `stand_in` on 127.0.0.1 in background threads; port 0 takes a free one."""
    faults = faults or Faults()
    use_faults = getattr(stand_in, "use_faults", None)
    if use_faults is not None:
        use_faults(faults)
    application = Control(stand_in, faults, faults.wrap(stand_in))
    return Running(stand_in, _Server(("127.0.0.1", port), application), faults)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], application: Application) -> None:
        self.application = application
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Exchange)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close what clients keep open, or their pooled connections would outlive the server."""
        with self._open_lock:
            waiting = list(self._open)
        for connection in waiting:
            hang_up(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that went away is its own affair; anything else is a bug and must be seen.
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Exchange(BaseHTTPRequestHandler):
    """One connection: reads requests, calls the application, writes each answer in one piece.

    werkzeug's development server closes the connection after each answer; clients of the real
    providers keep theirs open, and their behaviour then is part of what is tried here.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(120)

    def log_message(self, *words: Any) -> None:
        """Quiet: the control path keeps the list of requests."""

    def answer(self) -> None:
        try:
            body = self._read_body()
        except ValueError as problem:
            self.close_connection = True
            self.send_error(400, str(problem))
            return
        status_line, headers, pieces = self._call(body)
        if status_line is None:
            self.close_connection = True
            return
        self._write(status_line, headers, pieces)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

    def _call(self, body: bytes) -> tuple[str | None, list[tuple[str, str]], list[bytes]]:
        started: list[Any] = [None, []]

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            started[:] = [status, headers]

        try:
            answer = self.server.application(self._environ(body), start_response)
            try:
                pieces = list(answer)
            finally:
                close = getattr(answer, "close", None)
                if close is not None:
                    close()
        except ConnectionError:
            hang_up(self.connection)
            return None, [], []
        return started[0], started[1], pieces

    def _write(self, status: str, headers: list[tuple[str, str]], pieces: list[bytes]) -> None:
        content = b"".join(pieces)
        names = {name.lower() for name, _ in headers}
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        promised = len(content)
        for name, value in headers:
            if name.lower() == "content-length":
                promised = int(value)
        if "content-length" not in names:
            lines.append(f"Content-Length: {promised}")
        if "date" not in names:
            lines.append(f"Date: {self.date_time_string()}")
        if self.close_connection:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        bare = self.command == "HEAD" or status.startswith("204")
        self.wfile.write(head if bare else head + content)
        if not bare and promised != len(content):
            hang_up(self.connection)
            self.close_connection = True

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= _LARGEST_BODY:
            raise ValueError("the body is too large for the sandbox")
        return self.rfile.read(length) if length else b""

    def _read_chunks(self) -> bytes:
        pieces: list[bytes] = []
        while size := int(self.rfile.readline(1024).split(b";")[0], 16):
            if size > _LARGEST_BODY:
                raise ValueError("the body is too large for the sandbox")
            pieces.append(self.rfile.read(size))
            self.rfile.readline(8)
        while self.rfile.readline(8192).strip():
            pass
        return b"".join(pieces)

    def _environ(self, body: bytes) -> Environ:
        path, _, query = self.path.partition("?")
        environ: Environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": self.path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            if key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ


def hang_up(connection: socket.socket) -> None:
    """End a connection as a broken network would; one that is closed already is left alone."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
