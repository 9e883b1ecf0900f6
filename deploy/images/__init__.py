"""`make image`: builds Greenroom's images with the container engine that is here.

Standard library only: it needs no environment.
"""
