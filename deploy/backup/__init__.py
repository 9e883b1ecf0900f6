"""Backup and restore of the three databases: docs/operations/backup.md."""
