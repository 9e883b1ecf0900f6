"""Attendance as a file: everybody who was there, however short, row by row."""
