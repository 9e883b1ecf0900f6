"""Text that goes into a spreadsheet's cell and must stay text.

Spreadsheets take a cell of a CSV file that begins like a formula for one, also where it is in quotes
(OWASP, "CSV Injection"): somebody's display name could then read other cells or open an address.
"""

# The last four are the full-width forms, which some spreadsheets fold.
_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def escape_formula(cell: str) -> str:
    """`cell`, prefixed with an apostrophe if a spreadsheet could take it for a formula."""
    return f"'{cell}" if cell.startswith(_BEGINNINGS) else cell
