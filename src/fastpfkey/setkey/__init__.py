"""setkey(8): its grammar and its text. No file is opened and no name resolved here.

For use from outside are two functions: `read_associations` makes a table of what ``setkey -D`` printed, `read_script`
tables of what a script leaves behind. What they are made of:

* `printing`: messages of a dump as text (-D, -DP, -l), of which `look` says how it is wanted; `debug`: -v and -x.
* `script`: scripts as requests, by the `rules` of a variant and a system; `running`: those requests sent, and their
  answers told.
* `text_reader`: text of -D as a table; `saving`, `saving_policies`: a script that makes a table again; `effect`: what a
  script leaves behind.
"""

from __future__ import annotations

from .effect import Effect, read_script
from .text_reader import read_associations

__all__ = ["Effect", "read_associations", "read_script"]
