"""The embedded recorder, a process of its own: takes part in rooms and makes streams and files of them.

Only `jobs` may be imported from elsewhere: the rest needs the media libraries of the extra `recorder`.
"""
