"""Addresses of the web, as a person writes them in settings."""

_PORTS = range(1, 65_536)


def wrong_with(url: str) -> tuple[str, str] | None:
    """Return what is wrong with an address and what is allowed, in words without any part of it; None for a good one.

    It may hold a secret wherever it can be read as one.
    """
    from urllib.parse import urlsplit

    if not url.startswith(("http://", "https://")):
        return "it is no address of the web", "http://HOST:PORT/PATH or https://HOST/PATH"
    if any(each.isspace() for each in url):
        return "there is a blank in the address", "%20 in place of it"
    no_host = "the address names no host", "a name such as hooks.example.com, or an IP address"
    try:
        parts = urlsplit(url)
        if not (parts.hostname or "").encode("idna"):
            return no_host
    except ValueError:  # UnicodeError, too: a part of the name is empty, or too long
        return no_host
    try:
        good = parts.port is None or parts.port in _PORTS
    except ValueError:
        good = False
    return None if good else ("the address has a port that there is not", f"a number from 1 to {_PORTS[-1]}")
