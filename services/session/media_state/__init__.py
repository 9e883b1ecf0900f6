"""Whether a host shows themselves: told to everybody, so that no page has to guess."""
