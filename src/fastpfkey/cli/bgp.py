"""The commands for passwords of TCP connections: their arguments."""

from __future__ import annotations

import sys

import click

from .ending import FAILURE, Group
from .engines import engine_options
from .options import examples, options

ends = options(
    click.argument("peer"),
    click.argument("local"),
    engine_options,
)


@click.group(cls=Group)
def tcpmd5() -> None:
    """Passwords that sign TCP connections with MD5 (RFC 2385), for BGP, where they are associations.

    FreeBSD, NetBSD, OpenBSD and illumos keep them so. On Linux a program sets one on its own socket (TCP_MD5SIG).
    """


@tcpmd5.command(
    "set",
    epilog=examples("fastpfkey tcpmd5 set 192.0.2.2 192.0.2.1 --password-file password --source unix:bsd.sock"),
)
@ends
@click.option("--password-file", "file", metavar="FILE", help="Its first line; - is standard input.")
@click.option("--password-fd", "descriptor", type=click.IntRange(0), metavar="N", help="The first line read there.")
@click.option("--password-env", "variable", metavar="NAME", help="The value of a variable of the environment.")
def set_(
    peer: str,
    local: str,
    source: str,
    dialect: str,
    file: str | None,
    descriptor: int | None,
    variable: str | None,
) -> None:
    """Sign connections between PEER and the LOCAL address, in both directions; a password that is there is replaced.

    The password is asked for, or is the first line of standard input where that is no terminal. It is no argument:
    every user of the machine could read that.
    """
    from .passwords import password, set_password

    if sum(given is not None for given in (file, descriptor, variable)) > 1:
        raise click.UsageError("name one place that has the password")
    set_password(peer, local, password(file, descriptor, variable), source, dialect)


@tcpmd5.command(epilog=examples("fastpfkey tcpmd5 delete 192.0.2.2 192.0.2.1 --source unix:bsd.sock"))
@ends
def delete(peer: str, local: str, source: str, dialect: str) -> None:
    """Take the password between PEER and the LOCAL address away. The exit status is 1 if there was none."""
    from .passwords import delete_password

    if not delete_password(peer, local, source, dialect):
        sys.exit(FAILURE)


@tcpmd5.command("list", epilog=examples("fastpfkey tcpmd5 list --source unix:bsd.sock --format jsonl"))
@engine_options
@click.option(
    "--format", "form", type=click.Choice(("text", "json", "jsonl", "csv")), default="text", help="What to write."
)
def list_(source: str, dialect: str, form: str) -> None:
    """Show between which addresses there are passwords, and whether for both directions."""
    from .passwords import show_peerings

    show_peerings(source, dialect, form, sys.stdout)


COMMANDS = (tcpmd5,)
