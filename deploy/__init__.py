"""How Greenroom is run: the local stack, the command line, images and charts."""
