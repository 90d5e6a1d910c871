"""Nothing is sent to a private network, whatever the form of its address."""

from ipaddress import ip_address

import pytest
from pydantic import ValidationError

from complaints.outbound.allow_list import is_public, parse_allow_list
from complaints.outbound.urls import SafeUrl, UnsafeUrl, check_url
from complaints.settings import Settings

NOBODY = parse_allow_list("")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.100.100.200", "100.127.255.255", "168.63.129.16", "192.0.0.192",
        "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1",
        "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1",
        "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1",
        "ff02::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.32.0.1", "2606:4700::1111", "2400::1"],
)
def test_a_public_address_is_accepted(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://example.com/", "https"),
        ("http://127.0.0.1:8000/", "https"),
        ("ftp://example.com/", "https"),
        ("file:///etc/passwd", "names no host"),
        ("//example.com/x", "https"),
        ("example.com", "names no host"),
        ("https:///x", "names no host"),
        ("https://127.0.0.1/", "not public"),
        ("https://[::1]/", "not public"),
        ("https://[::ffff:127.0.0.1]/", "not public"),
        ("https://[64:ff9b::7f00:1]/", "not public"),
        ("https://100.64.0.1/", "not public"),
        ("https://169.254.169.254/latest/meta-data/", "not public"),
        ("https://2130706433/", "has a number"),
        ("https://0x7f000001/", "has a number"),
        ("https://0x7f.0x0.0x0.0x1/", "has a number"),
        ("https://0177.0.0.1/", "has a number"),
        ("https://127.1/", "has a number"),
        ("https://127.0.0.1.0x/", "has a number"),
        ("https://127.0.0.1./", "of the form"),
        ("https://１２７.０.０.１/", "ASCII"),
        ("https://127。0。0。1/", "ASCII"),
        ("https://例子.example/", "xn--"),
        ("https://ex ample.com/", "blanks"),
        ("https://example.com/\r\nX: y", "blanks"),
        ("https://example.com\\@127.0.0.1/", "backslashes"),
        ("https://user:password@example.com/", "password"),
        ("https://example.com@127.0.0.1/", "password"),
        ("https://localhost/", "this machine"),
        ("https://a.localhost/", "this machine"),
        ("https://[fe80::1%25eth0]/", "network card|form|not public"),
        ("https://[127.0.0.1]/", "brackets|not a URL"),
        ("https://[v1.x]/", "brackets|not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://example.com:99999/", "not a URL"),
        ("https://example.com:x/", "not a URL"),
        ("https://example.com:/", "no port"),
        ("https://example.com:0/", "no port"),
        ("https://example.com/#part", "fragment"),
        ("https://-a.com/", "of the form"),
        ("https://a..com/", "of the form"),
        ("https://" + "a" * 64 + ".com/", "of the form"),
        ("https://example.com/" + "a" * 2000, "2000"),
    ],
)
def test_an_unsafe_url_is_refused(url: str, message: str) -> None:
    with pytest.raises(UnsafeUrl, match=message):
        check_url(url, NOBODY)


def test_a_safe_url_is_taken_apart() -> None:
    assert check_url("https://CRM.example.com", NOBODY) == SafeUrl("https", "crm.example.com", 443, "/")
    found = check_url("https://[2606:4700::1111]:8443/a/b?c=d", NOBODY)
    assert found == SafeUrl("https", "2606:4700::1111", 8443, "/a/b?c=d")


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/x"),
        ("10.0.0.0/8, crm.internal", "http://10.9.8.7/x"),
        ("10.0.0.0/8, crm.internal", "http://CRM.internal/x"),
        ("localhost", "http://localhost:1234/"),
        ("fd00::/8", "https://[fd12::1]/"),
        ("::ffff:127.0.0.1", "https://[::ffff:127.0.0.1]/"),
    ],
)
def test_an_allowed_host_is_reached(allowed: str, url: str) -> None:
    assert check_url(url, parse_allow_list(allowed))


def test_a_listed_host_does_not_open_another() -> None:
    allowed = parse_allow_list("crm.internal,10.0.0.0/8")
    assert allowed.permits("crm.internal", ip_address("127.0.0.1"))
    assert allowed.permits("other.example", ip_address("10.0.0.1"))
    assert not allowed.permits("other.example", ip_address("127.0.0.1"))
    with pytest.raises(UnsafeUrl):
        check_url("http://other.example/", allowed)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "a b", "https://x", "999.1.1.1", "10.0.0.0/99", "例子"])
def test_a_wrong_allow_list_is_named_at_the_start(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("COMPLAINTS_WEBHOOK_ALLOW", text)
    with pytest.raises(ValidationError, match="neither a host nor an address nor a network"):
        Settings()
