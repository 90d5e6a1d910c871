"""The guarded client against real servers."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from complaints.outbound import http_client
from complaints.outbound.allow_list import AllowList, parse_allow_list
from complaints.outbound.http_client import LARGEST_ANSWER_BYTES, GuardedClient, trusted_authorities
from complaints.outbound.reply import SendingFailed
from tests.http_receiver import HttpReceiver, ReceiverAnswer, http_receiver

LOOPBACK = parse_allow_list("127.0.0.1, receiver.example")


@pytest.fixture
def client() -> Iterator[GuardedClient]:
    with GuardedClient(LOOPBACK, seconds=5) as opened:
        yield opened


def reason(client: GuardedClient, url: str) -> str:
    with pytest.raises(SendingFailed) as failed:
        client.post(url, b"{}", {})
    return failed.value.reason


def test_it_sends_over_a_kept_connection(client: GuardedClient, receiver: HttpReceiver) -> None:
    receiver.answer = lambda post: ReceiverAnswer(201, b"OK", {"Retry-After": "7"})
    answers = [client.post(f"{receiver.url}?a=b", b'{"x": 1}', {"webhook-id": "one"}) for _ in range(3)]
    assert [(a.status, a.body, a.headers["retry-after"], a.is_success) for a in answers] == [
        (201, b"OK", "7", True)
    ] * 3
    (post, *_) = receiver.posts
    assert (post.path, post.body, post.headers["webhook-id"]) == ("/hook?a=b", b'{"x": 1}', "one")
    assert post.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_it_follows_no_redirect_and_uses_no_proxy(
    client: GuardedClient, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    receiver.answer = lambda post: ReceiverAnswer(302, headers={"Location": "http://127.0.0.1:1/"})
    with GuardedClient(LOOPBACK) as proxied:
        answer = proxied.post(receiver.url, b"", {})
    assert (answer.status, answer.is_success, len(receiver.posts)) == (302, False, 1)


def test_a_large_answer_is_cut(client: GuardedClient, receiver: HttpReceiver) -> None:
    receiver.answer = lambda post: ReceiverAnswer(200, b"x" * (LARGEST_ANSWER_BYTES * 40))
    answer = client.post(receiver.url, b"", {})
    assert (answer.status, len(answer.body)) == (200, LARGEST_ANSWER_BYTES)
    receiver.answer = lambda post: ReceiverAnswer(200, b"next")
    assert client.post(receiver.url, b"", {}).body == b"next"


def test_a_dropped_and_a_refused_connection_are_failures(
    client: GuardedClient, receiver: HttpReceiver
) -> None:
    receiver.answer = lambda post: ReceiverAnswer(drop=True)
    assert reason(client, receiver.url) == "connection"
    assert reason(client, "http://127.0.0.1:1/") == "connection"


@pytest.mark.parametrize("drip", [b"", b"H"])
def test_a_receiver_that_hangs_or_drips_is_left_in_time(drip: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_slowly() -> None:
            taken, _ = server.accept()
            with taken:
                try:
                    while drip:
                        taken.sendall(drip)
                        time.sleep(0.05)
                    taken.recv(10_000)
                    time.sleep(1)
                except OSError:
                    return

        threading.Thread(target=answer_slowly, daemon=True).start()
        begun = time.monotonic()
        with GuardedClient(LOOPBACK, seconds=0.4) as client:
            assert reason(client, f"http://127.0.0.1:{server.getsockname()[1]}/") == "timeout"
        assert 0.3 < time.monotonic() - begun < 2


def test_an_endless_answer_is_left_in_time() -> None:
    with http_receiver() as receiver, GuardedClient(LOOPBACK, seconds=0.4) as client:
        receiver.answer = lambda post: ReceiverAnswer(200, b"", {"Content-Length": "10"})
        assert reason(client, receiver.url) == "timeout"


def test_a_resolver_that_hangs_is_left_in_time() -> None:
    over = threading.Event()

    def hang(host: str, port: int) -> list[str]:
        over.wait(10)
        return []

    with GuardedClient(AllowList(), seconds=0.2, resolver=hang) as client:
        begun = time.monotonic()
        assert reason(client, "https://slow.example/") == "timeout"
        assert time.monotonic() - begun < 2
    over.set()


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], ["fe80::1%eth0"]],
)
def test_every_address_of_a_name_is_checked(addresses: list[str]) -> None:
    with GuardedClient(AllowList(), resolver=lambda host, port: addresses) as client:
        assert reason(client, "https://public.example/") == "refused-address"


def test_a_name_whose_address_changes_is_dialled_only_where_it_was_checked(receiver: HttpReceiver) -> None:
    """The name is resolved once for each connection, and that address is dialled."""
    asked: list[str] = []

    def rebind(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    allowed = AllowList(networks=LOOPBACK.networks, hosts=frozenset())
    with GuardedClient(LOOPBACK, resolver=rebind) as client:
        answer = client.post(f"http://receiver.example:{receiver.port}/hook", b"", {})
    assert (answer.status, asked) == (200, ["receiver.example"])
    with GuardedClient(allowed, resolver=rebind) as client:
        assert reason(client, "https://other.example/") == "refused-address"
    assert len(receiver.posts) == 1


def test_a_silent_address_leaves_time_for_the_next_one(receiver: HttpReceiver) -> None:
    with silent_address("127.0.0.2", receiver.port):
        addresses = ["127.0.0.2", "127.0.0.1"]
        with GuardedClient(LOOPBACK, seconds=2, resolver=lambda host, port: addresses) as client:
            assert client.post(f"http://receiver.example:{receiver.port}/hook", b"", {}).status == 200


def test_silent_addresses_are_left_in_time() -> None:
    with silent_address("127.0.0.2", 0) as port:
        begun = time.monotonic()
        with GuardedClient(LOOPBACK, seconds=0.4, resolver=lambda host, port: ["127.0.0.2"] * 9) as client:
            assert reason(client, f"http://receiver.example:{port}/") == "timeout"
        assert 0.3 < time.monotonic() - begun < 2


@contextmanager
def silent_address(address: str, port: int) -> Iterator[int]:
    """A port that answers no attempt to connect, because the queue of its server is full. Gives the port."""
    with socket.socket() as server, ExitStack() as opened:
        server.bind((address, port))
        server.listen(0)
        place = server.getsockname()
        for _ in range(3):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(place)
        probe = opened.enter_context(socket.socket())
        probe.settimeout(0.1)
        with pytest.raises(TimeoutError):
            probe.connect(place)
        yield int(place[1])


def test_a_name_without_address_and_an_unsafe_url_are_failures() -> None:
    def fail(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    with GuardedClient(AllowList(), resolver=fail) as client:
        assert reason(client, "https://nowhere.example/") == "connection"
        assert reason(client, "https://127.0.0.1/") == "refused-url"
        assert reason(client, "http://example.com/") == "refused-url"


@pytest.mark.parametrize(("host", "expected"), [("receiver.example", 200), ("other.example", None)])
def test_a_certificate_must_be_that_of_the_name_not_of_the_address(
    host: str, expected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate("receiver.example", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(http_client, "trusted_authorities", trusted_authorities.__wrapped__)  # read it now
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    allowed = parse_allow_list("receiver.example, other.example")
    with (
        http_receiver(tls=context) as receiver,
        GuardedClient(allowed, seconds=5, resolver=lambda host, port: ["127.0.0.1"]) as client,
    ):
        url = f"https://{host}:{receiver.port}/hook"
        if expected is None:
            assert reason(client, url) == "connection"
        else:
            assert client.post(url, b"{}", {}).status == expected


def make_certificate(name: str, directory: Path) -> Path:
    """A file with a key and a certificate for `name` that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = directory / "receiver.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file
