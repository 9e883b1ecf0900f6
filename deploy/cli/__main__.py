"""`python -m deploy.cli` is `greenroom`."""

from deploy.cli import main

main()
