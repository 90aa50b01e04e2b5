"""Rules about which extensions a message has: the lines of the grammar, and what the RFC says of all messages at once.

There is one rule for each requirement that a line of a grammar states, whichever system's line it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...spec.grammar import Form, Severity
from ...spec.grammar_keys import COMBINED
from ...spec.terms import AuthAlgorithm, EncryptAlgorithm, SAType
from ...spec.terms import ExtensionType as Ext
from ...spec.terms import MessageType as Msg
from .rule import TO_ENGINE, Finding, Rule, rule, rules_in
from .subject import ENDS, Subject

LAYOUTS = (
    "R-3.1.1-02",
    "R-3.1.1-05",
    "R-3.1.2-11",
    "R-3.1.2-12",
    "R-3.1.3-06",
    "R-3.1.3-07",
    "R-3.1.4-02",
    "R-3.1.4-03",
    "R-3.1.5-02",
    "R-3.1.5-03",
    "R-3.1.6-03",
    "R-3.1.6-09",
    "R-3.1.6-11",
    "R-3.1.7-03",
    "R-3.1.7-05",
    "R-3.1.8-04",
    "R-3.1.9-03",
    "R-3.1.9-04",
    "R-3.1.10-02",
    "R-3.1.10-05",
    "R-A-06",
    "R-B-03",
    "X-layout",
)
"""Requirements that state what a message consists of. What is missing or out of place breaks one of them as well."""

PRIVATE = (Msg.ADD, Msg.UPDATE, Msg.GET, Msg.DUMP)
"""Messages that a key manager's private data travels in (RFC 2367, C)."""


def layout(requirement: str, subject: Subject) -> Iterator[Finding]:
    """What a message lacks, and what it has in vain, by its line of the grammar."""
    form = subject.form
    if form is None or form.rule != requirement:
        return
    yield from _missing(form, subject)
    if not subject.to_engine:
        level = subject.grammar.strays_from_engine
    else:
        level = "error" if form.only else subject.grammar.strays
    for extension in subject.extensions:
        known = subject.dialect.by_type.get(extension.exttype)
        if known is not None and extension.exttype not in form.known:
            refused: Severity | None = "error" if known.maximum == 0 else level
            yield Finding(f"{subject.kind} has no place for {extension.exttype.name}", extension.exttype, refused)


def _missing(form: Form, subject: Subject) -> Iterator[Finding]:
    present = subject.by_type
    for item in form.required:
        if item not in present:
            yield Finding(f"{subject.kind} needs {item.name}", item)
    for group in form.one_of:
        found = [item for item in group if item in present]
        names = " or ".join(item.name for item in group)
        if not found:
            yield Finding(f"{subject.kind} needs {names}", group[0])
        for item in found[1:]:
            yield Finding(f"{subject.kind} has one of {names}, not {len(found)}", item)
    for group in form.some_of:
        if not any(item in present for item in group):
            yield Finding(f"{subject.kind} needs {' or '.join(item.name for item in group)}", group[0])
    if form.keys == "needed":
        for item, algorithm in _keys_of(subject):
            if item not in present:
                yield Finding(f"{subject.kind} needs {item.name}, the key for {algorithm}", item)


def _keys_of(subject: Subject) -> Iterator[tuple[Ext, str]]:
    """The keys that the algorithms of an association call for, and the names of these."""
    sa = subject.sa
    encrypt = None if sa is None else subject.encrypt(sa)
    if sa is None or encrypt is None:
        return
    auth = subject.auth(sa)
    otherwise = encrypt in COMBINED or Ext.STR_AUTH in subject.by_type
    if not (auth in (AuthAlgorithm.NONE, AuthAlgorithm.NULL) or auth.is_unknown or otherwise):
        yield Ext.KEY_AUTH, auth.name
    if subject.satype == SAType.AH or encrypt == EncryptAlgorithm.NONE or encrypt.is_unknown:
        return
    if encrypt != EncryptAlgorithm.NULL or (subject.grammar.null_needs_key and subject.to_engine):
        yield Ext.KEY_ENCRYPT, encrypt.name


@rule("R-2.3.1-01", implies=LAYOUTS)
def association_is_there(subject: Subject) -> Iterator[Finding]:
    """Only control messages and those that look for an association come without."""
    if subject.form is not None and Ext.SA in subject.form.required and Ext.SA not in subject.by_type:
        yield Finding(f"{subject.kind} is about an association and has no SA", Ext.SA)


@rule("R-2.3.3-01", implies=(*LAYOUTS, "R-2.3.3-11"))
def association_has_ends(subject: Subject) -> Iterator[Finding]:
    """With an association come source and destination."""
    if Ext.SA not in subject.by_type:
        return
    for item in ENDS:
        if item not in subject.by_type and (subject.form is None or item in subject.form.required):
            yield Finding(f"there is an association, but no {item.name}", item)


@rule("R-2.3.3-11", implies=(*LAYOUTS, "R-2.3.3-01"))
def ends_come_in_pairs(subject: Subject) -> Iterator[Finding]:
    """Source and destination are both there or both absent, where the message has a place for both."""
    for here, there in (ENDS, ENDS[::-1]):
        wanted = subject.form is None or there in subject.form.known
        if here in subject.by_type and there not in subject.by_type and wanted:
            yield Finding(f"there is {here.name}, but no {there.name}", there)


@rule("R-3.1.6-11", way=TO_ENGINE)
def failures_say_what_failed(subject: Subject) -> Iterator[Finding]:
    """A bare ACQUIRE tells with errno what went wrong, and with its number which request it answers."""
    if subject.type != Msg.ACQUIRE or subject.extensions:
        return
    if subject.message.errno == 0:
        yield Finding("a bare ACQUIRE reports a failure, and this one has errno 0")
    if subject.message.seq == 0:
        yield Finding("a bare ACQUIRE repeats the sequence number of the request, and this one has 0")


@rule("R-C-01", implies=LAYOUTS)
def private_data_goes_with_associations(subject: Subject) -> Iterator[Finding]:
    """KMPRIVATE is for ADD and UPDATE, and for GET and DUMP to return it."""
    if Ext.KMPRIVATE in subject.by_type and subject.type not in PRIVATE:
        yield Finding(f"private data is stored by ADD and UPDATE, not by {subject.type.name}", Ext.KMPRIVATE)


RULES = (*(Rule(item, "error", partial(layout, item), of_layout=True) for item in LAYOUTS), *rules_in(globals()))
"""The rules of this module."""
