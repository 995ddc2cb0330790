"""What the words of a command line may be."""

from argparse import ArgumentTypeError

import pytest

from udpchat_cli import values
from udpchat_cli.values import Account, Endpoint


@pytest.mark.parametrize(
    ("text", "account", "shown"),
    [
        ("anna@example.org", Account("anna", "example.org", 10001), "anna@example.org"),
        ("Anna@Example.ORG:10001", Account("anna", "example.org", 10001), "anna@example.org"),
        ("anna@example.org:7", Account("anna", "example.org", 7), "anna@example.org:7"),
        ("anna@192.0.2.1:10002", Account("anna", "192.0.2.1", 10002), "anna@192.0.2.1:10002"),
        ("anna@[::1]", Account("anna", "::1", 10001), "anna@[::1]"),
        ("anna@[0:0::1]:65535", Account("anna", "::1", 65535), "anna@[::1]:65535"),
        ("anna@localhost", Account("anna", "localhost", 10001), "anna@localhost"),
        ("anna@my_host.", Account("anna", "my_host.", 10001), "anna@my_host."),
    ],
)
def test_an_account_is_a_name_at_a_server(text: str, account: Account, shown: str) -> None:
    assert values.account(text) == account
    assert str(account) == shown
    assert values.account(shown) == account


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("anna", "does not say where"),
        ("anna@", "is no HOST"),
        ("@host", "is no name"),
        ("an na@host", "is no name"),
        ("anna@::1", "put an IPv6 address in brackets, [::1]"),
        ("anna@[::1", "is no HOST"),
        ("anna@[]", "is no HOST"),
        ("anna@[zz]", "is no IP address"),
        ("anna@[::ffff:192.0.2.1]", "in disguise"),
        ("anna@0.0.0.0", "is no address of one server"),
        ("anna@192.0.2.300", "is no IP address"),
        ("anna@a b", "is no name of a host"),
        ("anna@-rf", "is no name of a host"),
        ("anna@a..b", "is no name of a host"),
        (f"anna@{'a' * 64}", "is no name of a host"),
        (f"anna@{'a.' * 127}a", "is no name of a host"),
        ("anna@host:", "is no port"),
        ("anna@host:0", "is no port"),
        ("anna@host:65536", "is no port"),
        ("anna@host:1:2", "is no HOST"),
        ("anna@b@c", "is no name of a host"),
        ("anna@\u0131stanbul.example", "is no name of a host"),
    ],
)
def test_what_is_no_account_is_said(text: str, says: str) -> None:
    with pytest.raises(ArgumentTypeError, match=r"^'") as error:
        values.account(text)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("20001", Endpoint(None, 20001)),
        ("0", Endpoint(None, 0)),
        (":20001", Endpoint(None, 20001)),
        ("127.0.0.1", Endpoint("127.0.0.1", None)),
        ("127.0.0.1:0", Endpoint("127.0.0.1", 0)),
        ("0.0.0.0:80", Endpoint("0.0.0.0", 80)),
        ("::", Endpoint("::", None)),
        ("[::]", Endpoint("::", None)),
        ("[0::1]:10001", Endpoint("::1", 10001)),
    ],
)
def test_where_to_receive_is_an_address_a_port_or_both(text: str, endpoint: Endpoint) -> None:
    assert values.bind(text) == endpoint


@pytest.mark.parametrize("text", ["localhost", "example.org:1", "1.2.3:4", "65536", "[::1", "", "127.0.0.1:x"])
def test_what_is_no_address_to_receive_at_is_said(text: str) -> None:
    if text:
        with pytest.raises(ArgumentTypeError, match=r"is no (address|port)"):
            values.bind(text)


@pytest.mark.parametrize("text", ["", "-1", "inf", "nan", "1e9", "ten", "2592001"])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is no time"):
        values.seconds(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "9" * 10, "\u0663"])
def test_what_is_no_count_is_said(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is no count"):
        values.count(text)
