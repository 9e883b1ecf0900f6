"""What ended before its time: sign-ins, API keys and people whose tokens still live."""
