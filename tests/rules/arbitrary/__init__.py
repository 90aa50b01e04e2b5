"""Any valid message of any system, built by its grammar: nothing is lost on the wire, and `check` finds no error."""
