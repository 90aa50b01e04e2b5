"""setkey(8): its grammar and its text, as data for the floors below. No file is opened and no name resolved here.

* `printing`: messages of a dump as text (-D, -DP, -l), of which `look` says how it is wanted; `debug`: -v and -x.
* `script`: scripts as requests, by the `rules` of a variant and a system; `running`: those requests sent, and their
  answers told.
* `text_reader`: text of -D as a table; `saving`, `saving_policies`: a script that makes a table again.
"""
