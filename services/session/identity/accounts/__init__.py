"""People: hosts, viewers and administrators."""
