"""Attendance: the union of a person's intervals in one session."""
