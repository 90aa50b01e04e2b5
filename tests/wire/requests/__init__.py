"""Messages from natural values: against real bytes, against `check`, and against values that do not fit."""
