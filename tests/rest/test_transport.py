"""The real transport against a raw socket on this machine that misbehaves on purpose."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tieout.core.errors import StopRun
from tieout.core.ports import AnswerLost, HttpRequest, NotSent
from tieout.rest.transport import requests_send

Reply = Callable[[socket.socket, bytes], None]


class Server:
    """Takes one connection after another and gives each to the reply."""

    def __init__(self, reply: Reply, wrap: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.reply, self.wrap, self.requests = reply, wrap, list[bytes]()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            try:
                if self.wrap:
                    connection = self.wrap.wrap_socket(connection, server_side=True)
                request = connection.recv(65536)
                self.requests.append(request)
                self.reply(connection, request)
            except OSError:
                pass
            finally:
                connection.close()

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(reply: Reply | bytes, wrap: ssl.SSLContext | None = None) -> Server:
        def fixed(connection: socket.socket, request: bytes) -> None:
            assert isinstance(reply, bytes)
            connection.sendall(reply)

        servers.append(Server(fixed if isinstance(reply, bytes) else reply, wrap))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def http(body: bytes, *headers: str, length: int | None = None, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, "Connection: close", *headers, "", ""]).encode() + body


def get(server: Server, path: str = "/", **more: object) -> HttpRequest:
    return HttpRequest("GET", f"http://127.0.0.1:{server.port}{path}", timeout=(2.0, 0.3))


def test_a_plain_answer(serve: Callable[..., Server]) -> None:
    server = serve(http(b'{"a": 1}', "X-Thing: 1", "Set-Cookie: s=1"))
    send = requests_send()
    found = send(get(server, "/p?a=%20b"))
    assert (found.status, found.body, found.headers["x-thing"]) == (200, b'{"a": 1}', "1")
    send(get(server))
    assert server.requests[0].startswith(b"GET /p?a=%20b HTTP/1.1\r\n")
    assert b"Cookie" not in server.requests[1]


def test_a_gzip_answer_is_unpacked_and_a_bomb_is_not(serve: Callable[..., Server]) -> None:
    packed = serve(http(gzip.compress(b'{"a": 1}'), "Content-Encoding: gzip"))
    assert requests_send()(get(packed)).body == b'{"a": 1}'
    bomb = serve(http(gzip.compress(b" " * 20_000_000), "Content-Encoding: gzip"))
    with pytest.raises(StopRun, match="more than 1 MiB"):
        requests_send(largest_answer=1024 * 1024)(get(bomb))


def test_redirects_are_not_followed(serve: Callable[..., Server]) -> None:
    server = serve(http(b"", "Location: http://127.0.0.1:1/", status="302 Found"))
    assert requests_send()(get(server)).status == 302
    assert len(server.requests) == 1


def test_netrc_does_not_replace_our_credentials(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(http(b"{}"))
    url = f"http://127.0.0.1:{server.port}/"
    requests_send()(HttpRequest("GET", url, {"Authorization": "Bearer ours"}))
    assert b"Authorization: Bearer ours" in server.requests[0]


@pytest.mark.parametrize(
    "reply",
    [
        http(b'{"a": ', length=100),
        http(gzip.compress(b"x" * 1000)[:-20], "Content-Encoding: gzip", length=500),
        http(b"not gzip", "Content-Encoding: gzip"),
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
    ids=["torn", "torn gzip", "no gzip", "silence", "half a line", "torn chunk"],
)
def test_a_broken_answer_is_lost(serve: Callable[..., Server], reply: bytes) -> None:
    with pytest.raises(AnswerLost):
        requests_send()(get(serve(reply)))


def test_no_answer_in_time_is_lost(serve: Callable[..., Server]) -> None:
    done = threading.Event()
    server = serve(lambda connection, request: done.wait(5) and None)
    try:
        with pytest.raises(AnswerLost, match="did not answer in time"):
            requests_send()(get(server))
    finally:
        done.set()


def test_a_refused_connection_was_not_sent(serve: Callable[..., Server]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NotSent, match="refused the connection"):
        requests_send()(HttpRequest("GET", f"http://127.0.0.1:{port}/"))


def test_an_unknown_host_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **more: object) -> list[object]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotSent, match=r"api\.example\.invalid is not known"):
        requests_send()(HttpRequest("GET", "https://api.example.invalid/"))


def test_an_untrusted_certificate_was_not_sent(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    server = serve(http(b"{}"), _self_signed(tmp_path))
    with pytest.raises(NotSent, match="TLS connection to 127"):
        requests_send()(HttpRequest("GET", f"https://127.0.0.1:{server.port}/"))
    assert not server.requests


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2099, 1, 1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, SHA256())
    )
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
