"""What is known of the kernel's tables without PF_KEY: iproute2 reads them through netlink."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

from corpus.decoded import associations_from_table, policies_from_table
from corpus.groundtruth import policy_facts, xfrm
from corpus.groundtruth.facts import contradictions, of_xfrm

import fastpfkey as pf
from fastpfkey import requests


def ip(*words: str, namespace: str = "") -> str:
    """What ip(8) prints, in a network namespace if one is named."""
    command = ["ip", *(("-n", namespace) if namespace else ()), *words]
    done = subprocess.run(
        command, capture_output=True, text=True, env={"TZ": "UTC", "PATH": "/usr/sbin:/sbin:/usr/bin:/bin"}
    )
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def xfrm_states() -> list[xfrm.State]:
    """The associations, newest first as in a dump."""
    return xfrm.read_states(ip("-d", "-s", "xfrm", "state"))


def xfrm_policies() -> list[xfrm.Policy]:
    """The policies, in the order of a dump."""
    return xfrm.read_policies(ip("-d", "-s", "xfrm", "policy"))


def spis() -> set[int]:
    """The SPIs that there are."""
    return {state.spi for state in xfrm_states()}


def assert_alike(client: pf.Client) -> list[dict[str, Any]]:
    """A dump says of every association what iproute2 says; return what it says."""
    dumped = client.dump_messages(requests.dump())
    assert dumped.complete
    rows = associations_from_table(bytes(dumped.messages))
    for state, row in zip(xfrm_states(), rows, strict=True):
        assert contradictions(of_xfrm(state), row) == {}
    return rows


def assert_policies_alike(client: pf.Client) -> list[dict[str, Any]]:
    """The same of policies."""
    dumped = client.dump_messages(requests.spddump())
    assert dumped.complete
    rows = policies_from_table(bytes(dumped.messages))
    for policy, row in zip(xfrm_policies(), rows, strict=True):
        assert contradictions(policy_facts.of_xfrm(policy), row) == {}
    return rows


def error_of(call: Callable[[], object]) -> str:
    """The name of the errno with which the kernel answers."""
    try:
        call()
    except pf.ReplyError as error:
        return error.name
    return ""
