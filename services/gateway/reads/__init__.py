"""The read cache: public reads without credentials, for a second at most, and never past a known change."""
