"""Text as LaTeX: escaped to plain ASCII that pdflatex sets with Computer Modern alone, without further fonts."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from profiler.report.formats import cell_values
from profiler.report.formats.markdown import CODE

_KNOWN = re.compile('(?![ÐÞðþĄąĐđĘęĮįŉŊŋŲų])["#%&<>^_~\xa0\xad±−⁻≤≥≠≈∞∼√∑↔⇒‐–—‘’“”…\u2009À-ÖØ-öø-žΑ-ώ]')
"""What pylatexenc writes with commands that LaTeX has without a package."""

# What it writes as symbols of TS1, which TeX draws as bitmaps without a package of fonts, or not at all.
_SYMBOLS = {"`": "{`}", "‑": r"\mbox{-}", "©": "(c)", "\u200b": r"\allowbreak", "\u200c": "{}", "\u202f": r"\,"} | {
    symbol: rf"\ensuremath{{{tex}}}"
    for symbol, tex in re.findall(
        r"(\S)(\S+)",
        r"{\{ }\} \\backslash $\mathdollar |\vert °^\circ ×\times ÷\div ·\cdot •\bullet µ\mu →\rightarrow ←\leftarrow "
        r"↑\uparrow ↓\downarrow †\dagger ‡\ddagger §\mathsection ¶\mathparagraph «\ll »\gg",
    )
}

# In the typewriter font all of ASCII stands at its own place.
_CODE = {letter: rf"\char`\{letter}{{}}" for letter in '\\{}$&#%^~|<>"'} | {
    " ": r"\ ",
    "`": r"\char18{}",
    "'": r"\char13{}",
}

_MARKS = re.compile(" ?[⁰¹²³⁴-⁹]+(?: [⁰¹²³⁴-⁹]+)*")

_BREAKS = re.compile(r"(?<=[./:=,|)\]_])(?=[^\W\d])|(?<=[^\W\d])(?=[(\[|])|(?<=\])(?=\[)")
"""Inside names before and after signs."""

_APART = re.compile(r"""(?<=[-'"])(?=[-'"])""")
"""Between signs of which TeX would make one."""

_LONG = re.compile(r"[^\s\u200b]{14}(?=[^\s\u200b]{6})")
"""The beginning of a word without a place to break, as a checksum is."""


@cache
def escape(text: str) -> str:
    """Return words as they are, nothing in them markup; what TeX has no letter for is named by its code point."""
    return _encoder(typed=False)(_APART.sub("\u200c", _breakable(text)))


@cache
def code(text: str) -> str:
    """Return what is typed, for the typewriter font: every space is one, and a line may be broken at it."""
    return _encoder(typed=True)(_breakable(text))


def prose(text: str) -> str:
    """Return text escaped, with code within it in the typewriter font, and figures bound to their units."""
    parts = CODE.split(text)
    return "".join(
        rf"\texttt{{{code(part)}}}" if place % 2 else escape(cell_values.bound(part))
        for place, part in enumerate(parts)
    )


def simple(text: str) -> str:
    """Return ASCII letters and common signs alone, for a PDF's own title and bookmarks, which know no markup."""
    bare = unicodedata.normalize("NFKD", text.replace("µ", "u").replace("×", "x").replace("−", "-"))
    return re.sub(r"\s+", " ", re.sub(r"[^A-Za-z0-9 .,:;()/+=*@!?-]", " ", bare)).strip()


def pieces(text: str) -> list[str]:
    """Return what of a text stays on one line where the line is as short as can be."""
    return re.split(r"[ \u200b]|(?<=-)", _breakable(cell_values.bound(text)))


def _breakable(text: str) -> str:
    """A text of letters that TeX has, with spaces of no width where a line may end."""
    plain = re.sub("[^ -~]", lambda found: _plain(found[0]), unicodedata.normalize("NFC", text))
    return _LONG.sub("\\g<0>\u200b", _BREAKS.sub("\u200b", plain))


def _plain(letter: str) -> str:
    """A letter that TeX has; for another what it stands for in ASCII (a full-width A is an A), or its code point."""
    if letter in _letters() or _MARKS.match(letter):
        return letter
    if letter.isspace():
        return " "
    meant = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return meant if meant.isascii() and meant.isprintable() and meant else f"[U+{ord(letter):04X}]"


@cache
def _letters() -> dict[str, str]:
    """What is not written as itself, in LaTeX."""
    from pylatexenc.latexencode import get_builtin_uni2latex_dict

    known = {chr(point): tex for point, tex in get_builtin_uni2latex_dict().items()}
    return {letter: tex for letter, tex in known.items() if _KNOWN.match(letter)} | _SYMBOLS


@cache
def _encoder(typed: bool) -> Callable[[str], str]:
    from pylatexenc import latexencode

    written = _letters() | (_CODE if typed else {})
    encode: Callable[[str], str] = latexencode.UnicodeToLatexEncoder(
        conversion_rules=[
            latexencode.UnicodeToLatexConversionRule(latexencode.RULE_REGEX, [(_MARKS, _raised)]),
            latexencode.UnicodeToLatexConversionRule(
                latexencode.RULE_DICT, {ord(letter): tex for letter, tex in written.items()}
            ),
        ],
        replacement_latex_protection="braces-after-macro",
        unknown_char_policy="fail",
    ).unicode_to_latex
    return encode


def _raised(found: re.Match[str]) -> str:
    """The marks of notes, parted by commas; they stay with the word before them."""
    marks = r",\,".join(unicodedata.normalize("NFKD", found[0]).split())
    return (r"\," if found[0].startswith(" ") else "") + rf"\textsuperscript{{{marks}}}"
