"""The development mail server: takes every mail, delivers none, and shows them."""
