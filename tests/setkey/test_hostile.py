"""Scripts that nobody should write: whatever is in them, the answer says where and why, in bounds, and shows no key."""

from __future__ import annotations

import re

import pytest

from fastpfkey.errors import ScriptError
from fastpfkey.setkey.rules import Rules
from fastpfkey.setkey.script import script
from fastpfkey.setkey.words import variant
from fastpfkey.spec import dialect

KEY = "00112233445566778899aabbccddeeff"
ADD = "add 192.0.2.1 192.0.2.2 esp 0x100 "


def refusal(text: str, system: str = "linux", compat: bool = False) -> ScriptError:
    """What is wrong with a script."""
    rules = Rules(dialect(system), variant("freebsd" if system == "freebsd" else "ipsec-tools"), compat=compat)
    with pytest.raises(ScriptError) as caught:
        list(script(text, rules))
    return caught.value


@pytest.mark.parametrize("system", ["linux", "freebsd"])
@pytest.mark.parametrize("compat", [False, True])
@pytest.mark.parametrize(
    "rest",
    [
        f"-E {KEY};",
        f"-E {KEY[:8]} {KEY[8:]};",
        f"-E aes-cbc {KEY};",
        f"-E aes-cbc 0x{KEY} -A {KEY};",
        f"-E aes-cbc 0x{KEY} {KEY};",
        f"-E aes-cbc 0x{KEY} {KEY[:6]} ;",
        f"-E aes-cbc 0x{KEY}\n{KEY[:6]}\n;",
        f"-E aes-cbc 0x{KEY} -A hmac-sha1 0x {KEY};",
        f'-E aes-cbc "{KEY[:16]}" -A "{KEY}";',
        f'-E aes-cbc "{KEY[:16]}"{KEY[16:]}";',
        f'-E aes-cbc {KEY[:16]}" ;',
        f'-E aes-cbc "{KEY}',
        f"-E aes-cbc [{KEY}];",
        f"-E aes-cbc 0x{KEY}zz;",
        f"-E aes-cbc 0x{KEY[:14]}-{KEY[14:]};",
        f"-E null 0x{KEY};",
        f"-E null {KEY[:8]};",
        f"-E null 0x{KEY[:6]};",
        f"-u 0x{KEY} -E null;",
        f"0x{KEY};",
        f"{KEY};",
        f'"{KEY}";',
        f"-ctx 1 1 {KEY} -E null;",
        f"-E null; {KEY} ;",
    ],
)
def test_keys_are_in_no_message(rest: str, system: str, compat: bool) -> None:
    error = refusal(ADD + rest, system, compat)
    for text in (str(error), repr(error), error.token):
        found = re.sub(r"\b(255|65535|4294967295)\b", "", text)
        assert not re.search(r"[0-9a-fA-F]{6}", found), text


def test_names_of_algorithms_are_shown() -> None:
    assert refusal(ADD + f"-E aes-cbcc 0x{KEY};").token == "aes-cbcc"
    assert refusal(ADD + f"-E aes-cbc 0x{KEY} -A sha;").token == "sha"
    assert refusal(ADD + f"-E aes-cbc 0x{KEY} ; spdad").token == "spdad"


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("flush\0;", "flush\\x00"),
        ("flush \x1b]0;title\x07;", "\\x1b"),
        ("flush \udcff\udcfe;", "\\udcff\\udcfe"),
        ("\ufeffflush;", "\\ufeffflush"),
        ("x" * 1_000_000, "x" * 80 + "..."),
        ("flush " + "9" * 1_000_000 + ";", "9" * 80 + "..."),
        ('"' * 99_999, "..."),
        ("add 192.0.2.1[", "["),
        ("spdadd 192.0.2.1 192.0.2.2[\0] any -P out none;", "\\x00"),
        ("add " + "h" * 300 + " 192.0.2.2 esp 5 -E null;", "h" * 80 + "..."),
        ("flush", ""),
        (ADD + "-E null", ""),
    ],
)
def test_what_is_wrong_is_shown_in_bounds(text: str, token: str) -> None:
    error = refusal(text)
    assert error.token == token
    assert (error.line, error.column > 0) == (1, True)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (";" * 100_000, 0),
        ("#" * 500_000, 0),
        ("# a comment\n" * 100_000 + "flush;", 1),
        ("flush;\r\nspdflush;\r\n", 2),
        ("spdadd 192.0.2.1 192.0.2.2 any -P out ipsec " + "#x\n" * 20_000 + "esp/transport//require;", 1),
        (" " * 1_000_000 + "flush;", 1),
        ("flush;" * 20_000, 20_000),
    ],
)
def test_long_scripts_are_read(text: str, count: int) -> None:
    """What took the square of their length would not come to an end."""
    assert len(list(script(text, Rules(dialect("linux"))))) == count
