"""Text that controls no terminal: names come out of files, from devices and over the network."""


def safe(text: str) -> str:
    """The text on one line, a question mark for each character that cannot be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
