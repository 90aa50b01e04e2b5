"""Scripts for several sockets, as data: the engine and a real kernel are taken through the same ones and compared."""

from . import associations, policies, recorded, traffic

SCRIPTS = {**associations.SCRIPTS, **policies.SCRIPTS, **traffic.SCRIPTS}
"""Scripts by what they are about."""

RECORDED = recorded.SCRIPT
"""The requests of a recording."""
