"""The stage of a session: who of the guests is on it, and what each may publish there."""
