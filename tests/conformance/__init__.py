"""Shows which test shows which statement of RFC 2367: requirements, the markers naming them, the page made of both."""
