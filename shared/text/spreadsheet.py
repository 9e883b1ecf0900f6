"""Text that must stay text in a spreadsheet.

Spreadsheets treat CSV cells that look like a formula as one, even in quotes (OWASP, "CSV Injection"): a
display name could then read other cells or open a URL.
"""

# The last four are the full-width forms, which some spreadsheets fold.
_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def escape_formula(cell: str) -> str:
    """`cell`, prefixed with an apostrophe if a spreadsheet could take it for a formula."""
    return f"'{cell}" if cell.startswith(_BEGINNINGS) else cell
