"""What every page of ours says to browsers, beside its own Content-Security-Policy."""

from typing import Final

# A page of ours asks for no device and shares no window with pages that opened it, or that it opens.
PAGE_HEADERS: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
}
