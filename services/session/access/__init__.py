"""Rules on the library, organization and host of what a call works on."""
