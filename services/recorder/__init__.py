"""The embedded recorder, a process of its own: joins rooms and makes streams and files of them.

Needs the media libraries of the extra `recorder`.
"""
