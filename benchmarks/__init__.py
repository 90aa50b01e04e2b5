"""How fast fastpfkey is, as ratios taken in one run."""
