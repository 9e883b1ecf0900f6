"""Greenroom's services; none imports another, they share `shared` and speak by events."""
