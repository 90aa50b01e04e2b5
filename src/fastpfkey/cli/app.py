"""The command line as a whole. Commands stand in a module for each kind; what they do is imported when they run."""

from __future__ import annotations

import json
import sys

import click

from . import bgp, completing, engines, hosting, messages, questions, scripts, syncing
from .ending import FAILURE, Group
from .options import examples


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fastpfkey", message="%(prog)s %(version)s")
@click.option("--json", is_flag=True, expose_value=False, help="What is wrong as JSON on standard error, a line each.")
def cli() -> None:
    """PF_KEY version 2 (RFC 2367): decode, dump and measure IPsec security associations and policies.

    Exit status: 0 if all is well, 1 if some input was bad or a source is unavailable, 2 if the command was not
    understood. What is wrong stands on standard error, a line each. SOURCE is kernel, unix:PATH for an engine that is
    served, engine for one that ends with the program, demo:N for a made-up table, or a file.
    """


@cli.command(epilog=examples("fastpfkey doctor", "fastpfkey doctor --json"))
@click.option("--json", "as_json", is_flag=True, help="An object with the same findings.")
def doctor(as_json: bool) -> None:
    """Tell the version, which backend is live and why, and whether AF_KEY is available.

    The exit status is 0 if messages can be decoded.
    """
    from .doctoring import examine

    report = examine()
    if as_json:
        click.echo(json.dumps(report.findings, indent=1))
    else:
        for name, value in report.findings.items():
            click.echo(f"{name:<18}{value}")
    if not report.usable:
        sys.exit(FAILURE)


@cli.command(epilog=examples("fastpfkey completion bash"))
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print what SHELL has to read to complete command lines: commands, options, columns, dialects, formats.

    In bash and zsh: eval "$(fastpfkey completion bash)"; in fish: fastpfkey completion fish | source.
    """
    click.echo(completing.script(shell, cli))


KINDS = (messages, questions, scripts, syncing, hosting, engines, bgp)

for _command in (command for kind in KINDS for command in kind.COMMANDS):
    cli.add_command(_command)
