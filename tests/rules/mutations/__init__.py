"""For each rule, ways to break it: each makes its rule fire, and none but those that the rule implies."""
