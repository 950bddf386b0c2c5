"""How much of a list a report shows, and how it says so."""

MOST_LISTED = 20


def first_of(listed: int, total: int) -> str:
    """Return what follows a title whose list is not complete; '' if it is.

    Examples
    --------
    >>> first_of(20, 1234), first_of(3, 3)
    (' (first 20 of 1,234)', '')
    """
    shown = min(listed, MOST_LISTED)
    return "" if shown == total else f" (first {shown} of {total:,})"
