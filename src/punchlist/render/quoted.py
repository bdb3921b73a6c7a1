"""What others wrote, quoted so that it cannot be taken for this program's own words, and bounded."""

_JOINERS = "\u200c\u200d"
"""Parts of letters and signs in use: they join, and hide or turn nothing."""


def quoted(text: str, *, most: int, elsewhere: str = "") -> str:
    """Return a text as a JSON string: on one line, what is not seen (controls, directions, ends of lines) as escapes.

    Of one longer than `most` characters the beginning, how long it is, and the command that shows all of it.
    """
    import json  # a millisecond of a command that quotes nothing

    shown = "".join(_escaped(each) for each in json.dumps(text[:most], ensure_ascii=False))
    if len(text) <= most:
        return shown
    return f"{shown} (the first {most:,} of {len(text):,} characters{f'; all: {elsewhere}' if elsewhere else ''})"


def _escaped(sign: str) -> str:
    if sign.isprintable() or sign in _JOINERS:
        return sign
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
