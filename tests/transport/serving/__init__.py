"""An engine behind a socket."""
