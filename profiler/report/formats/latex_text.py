"""Text as LaTeX: escaped to plain ASCII that every engine sets with Computer Modern alone, and how wide it is."""

import re
import unicodedata
from collections.abc import Callable

from profiler.report.formats import cell_values
from profiler.report.formats.markdown import CODE

SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"

# Letters that text means otherwise. A single ` and ' are quotation marks in Computer Modern's text fonts.
_TEXT = {
    "\\": r"$\backslash$",
    "{": r"$\{$",
    "}": r"$\}$",
    "$": r"$\mathdollar$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_\allowbreak{}",
    "^": r"\^{}",
    "~": r"$\sim$",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "`": "{`}",
    '"': "''",
}

# In the typewriter font all of ASCII stands at its own place.
_CODE = {letter: rf"\char`\{letter}{{}}" for letter in "\\{}$&#%^~|<>"} | {
    "_": r"\_\allowbreak{}",
    "`": r"\char18{}",
    "'": r"\char13{}",
}

# No symbol of TS1: without further font packages TeX would draw those as bitmaps.
_SYMBOLS = {
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": r"\,",
    "\N{THIN SPACE}": r"\,",
    "\N{SOFT HYPHEN}": r"\-",
    "\N{ZERO WIDTH SPACE}": r"\allowbreak{}",
    "×": r"$\times$",
    "÷": r"$\div$",
    "±": r"$\pm$",
    "−": "$-$",
    "⁻": "$^{-}$",
    "·": r"$\cdot$",
    "•": r"$\bullet$",
    "°": r"$^{\circ}$",
    "µ": r"$\mu$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "↔": r"$\leftrightarrow$",
    "⇒": r"$\Rightarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "∼": r"$\sim$",
    "√": r"$\surd$",
    "∑": r"$\Sigma$",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    "§": r"$\mathsection$",
    "¶": r"$\mathparagraph$",
    "©": "(c)",
    "…": r"\ldots{}",
    "–": "--{}",
    "—": "---{}",
    "‐": "-{}",
    "‑": r"\mbox{-}",
    "‘": "{`}",
    "’": "'{}",
    "“": "{``}",
    "”": "''{}",
    "«": r"$\ll$",
    "»": r"$\gg$",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "å": r"\aa{}",
    "Å": r"\AA{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
}
_GREEK = frozenset(
    re.findall(
        r"\w+",
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
        "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega",
    )
)
"""What TeX has names for."""

_ACCENTS = dict(
    zip("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030b\u030c\u0327\u0323\u0331", "`'^~=u.\"Hvcdb", strict=True)
)
"""Combining marks that Computer Modern can put on a letter."""

_LONG_WORD, _PIECE = 28, 14
"""A word without a place to break, as a checksum is, may be broken after every so many letters."""

# Of cmr10 in thousandths of an em, from its metrics file (cmr10.afm, AMS); what is missing here is taken as a wide one.
_WIDTHS = {
    letter: width
    for letters, width in {
        "!',.:;ijl|[]`": 278,
        " -": 333,
        "frt_": 350,
        "()sI": 392,
        "cez?": 460,
        '0123456789$*/agov"^~{}\\': 510,
        "bdhknpquxySJ": 556,
        "BCDEFLPRTZw": 722,
        "AGHKNOQUVXY&+=<>@−×±°µ": 778,
        "#%mM": 870,
        "W…→": 1028,
        SUPERSCRIPTS: 400,
    }.items()
    for letter in letters
}
_UNKNOWN = 778

_NOTHING = "\N{ZERO WIDTH SPACE}"
"""Between two hyphens or quotation marks, which TeX would make one sign of."""


def escape(text: str) -> str:
    """Words as they are: nothing in them is markup, and what TeX has no letter for is named by its code point."""
    apart = re.sub(r"(?<=[-'\"])(?=[-'\"])", _NOTHING, text)
    return _set(apart, lambda letter: _TEXT.get(letter, letter))


def code(text: str) -> str:
    """What is typed, for the typewriter font: every space is one, and a line may be broken at it."""
    return _set(text, lambda letter: _CODE.get(letter, letter), r"\ ")


def prose(text: str) -> str:
    """Escaped, with code within it in the typewriter font, and figures bound to their units."""
    parts = CODE.split(text)
    return "".join(
        rf"\texttt{{{code(part)}}}" if place % 2 else escape(cell_values.bound(part))
        for place, part in enumerate(parts)
    )


def simple(text: str) -> str:
    """ASCII letters and common signs alone, for a PDF's own title and bookmarks, which know no markup."""
    bare = unicodedata.normalize("NFKD", text.replace("µ", "u").replace("×", "x").replace("−", "-"))
    return re.sub(r"\s+", " ", re.sub(r"[^A-Za-z0-9 .,:;()/+=*@!?-]", " ", bare)).strip()


def width(text: str) -> float:
    """About how wide text is in Computer Modern Roman, in ems of its 10-point size."""
    return sum(_WIDTHS.get(letter, _UNKNOWN) for letter in text) / 1000


def pieces(text: str) -> list[str]:
    """What of text stays on one line where the line is as short as can be."""
    return [piece for word in text.split() for part in _broken(word) for piece in re.split(r"(?<=_)", part) if piece]


def _set(text: str, ascii_letter: Callable[[str], str], space: str = " ") -> str:
    words = (_word(word, ascii_letter) for word in re.split(r"[^\S\N{NO-BREAK SPACE}]", text))
    return _marked(space.join(words))


def _marked(written: str) -> str:
    """A note's mark stays with the word before it, and marks in a row are parted by commas."""
    kept = re.sub(r"(?<=\S) (?=\\textsuperscript)", r"\\,", written)
    return re.sub(r"(?<=\d\})\\,\\textsuperscript\{", r"\\textsuperscript{,\\,", kept)


def _word(word: str, ascii_letter: Callable[[str], str]) -> str:
    return r"\allowbreak{}".join(_letters(part, ascii_letter) for part in _broken(word))


def _broken(word: str) -> list[str]:
    """A word at the places where a line may end: inside names before and after signs, and anywhere in a long one."""
    parts = re.split(r"(?<=[./:=+,|)\]])(?=[^\W\d])|(?<=[^\W\d])(?=[(\[|])", word)
    return [
        piece
        for part in parts
        for piece in (
            [part[start : start + _PIECE] for start in range(0, len(part), _PIECE)]
            if max(map(len, part.split("_"))) > _LONG_WORD
            else [part]
        )
    ]


def _letters(text: str, ascii_letter: Callable[[str], str]) -> str:
    composed = unicodedata.normalize("NFC", text)
    runs = re.findall(rf"[{SUPERSCRIPTS}]+|.", composed, re.DOTALL)
    return "".join(_letter(run, ascii_letter) for run in runs)


def _letter(run: str, ascii_letter: Callable[[str], str]) -> str:
    if run[0] in SUPERSCRIPTS:
        return rf"\textsuperscript{{{''.join(str(unicodedata.digit(letter)) for letter in run)}}}"
    if run.isascii() and run.isprintable():
        return ascii_letter(run)
    return _SYMBOLS.get(run) or _greek(run) or _accented(run) or _unknown(run, ascii_letter)


def _greek(letter: str) -> str:
    """A Greek letter that TeX has by name."""
    found = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(letter, ""))
    if not found:
        return ""
    name = found[2].lower() if found[1] == "SMALL" else found[2].capitalize()
    return rf"$\{name}$" if name in _GREEK else ""


def _accented(letter: str) -> str:
    """A letter of ASCII with one accent or with more, of which the first is set."""
    base, *marks = list(unicodedata.normalize("NFD", letter))
    if not (base.isascii() and base.isalpha() and marks):
        return ""
    accent = _ACCENTS.get(marks[0])
    under = "\\" + base if base in "ij" and accent not in ("c", "d", "b") else base
    return rf"\{accent}{{{under}}}" if accent else base


def _unknown(letter: str, ascii_letter: Callable[[str], str]) -> str:
    """What it stands for in ASCII (a full-width A is an A), else its code point."""
    meant = unicodedata.normalize("NFKD", letter)
    if meant.isascii() and meant.isprintable() and meant:
        return "".join(map(ascii_letter, meant))
    return f"[U+{ord(letter):04X}]"
