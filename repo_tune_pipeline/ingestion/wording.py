"""The words of a licence text, and which of them decide what it permits.

What is compared is what SPDX's matching guidelines leave of a text: words without case,
punctuation, white space, bullets, titles and copyright lines, in one spelling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORD = re.compile(r"[a-z0-9]+(?:['’-][a-z0-9]+)*")
_JOINERS = str.maketrans("", "", "'’-")
_BROKEN = re.compile(r"(?<=[a-z])-\n[\s*#/;]*(?=[a-z])")
_PHRASES = (
    (re.compile(r"\band or\b"), "and"),
    (re.compile(r"\bdont\b"), "do not"),
    (re.compile(r"\bnames of any (?:of the )?contributors\b"), "names of its contributors"),
    (re.compile(r"\bincluding the next paragraph\b"), ""),
)
_SPELLINGS = {
    "https": "http",
    "licence": "license",
    "licences": "licenses",
    "licenced": "licensed",
    "owner": "holder",
    "owners": "holders",
    "organisation": "organization",
    "acknowledgement": "acknowledgment",
    "judgement": "judgment",
    "sublicence": "sublicense",
    "this": "the",
    "whilst": "while",
}
_COPYRIGHT = re.compile(
    r"\W*(?:portions )?(?:copyright\W+(?:\(c\)|©|&copy;|year\b|yyyy\b|\d{4}|by )"
    r"|\(c\)\W+(?:copyright|\d{4})|©)|\W*all rights reserved\W*$"
)
_TITLE = re.compile(r"[\w\s.,:;/()\"'#*=-]*\blicen[cs]e\b[\w\s.,:;/()\"'#*=-]*$")
_TITLE_LINES = 3
_TITLE_WORDS = 8
_HEADING = re.compile(
    r"\W*(?:mit no attribution|(?:end of )?terms and conditions(?: for use, reproduction,? and"
    r" distribution| for copying, distribution and modification)?)\W*$"
)
_LIMITS = (
    r"not|no|non\w*|neither|never|only|solely|except|unless|without(?! limitation)|must|shall"
    r"|cannot|prohibit\w*|forbid\w*|disallow\w*|restrict\w*|commercial\w*|proprietary"
    r"|confidential|evil|military|weapons?|fees?|paid|pay|payments?|royalt\w*|purchas\w*"
    r"|subscri\w*|internal|personal|consent\w*|approval|revo[ck]\w*|terminat\w*|expir\w*|requires?"
)
_RESTRICTS = re.compile(
    rf"\b(?:{_LIMITS}|academic|educational|students?|hobby\w*|governments?|evaluation|trial"
    r"|compet\w*|research (?:uses?|purposes?)|gnu|[al]?gpl\w*)\b"
)
_OPERATIVE = re.compile(
    rf"\b(?:{_LIMITS}|accept\w*|accompan\w*|additional|advertis\w*|agree[sd]?|all|allow\w*"
    r"|alter\w*|any|anyone|appear\w*|apply|applies|assign\w*|attribution|binary|bound|charg\w*"
    r"|claims?|combin\w*|compil\w*|complies|compliance|comply|conditions?|contain(?:s|ed|ing)?"
    r"|convey\w*|copied|copies|copy|copying|damages|deal|deriv\w*|disclos\w*|display\w*"
    r"|distribut\w*|each|endors\w*|every|exclu\w*|exercis\w*|free(?= of charge)|freely|furnish\w*"
    r"|grant(?:s|ed)?|if|imports?|includ\w*|infring\w*|irrevocabl\w*|keep|liab\w*|limit\w*"
    r"|link(?:s|ed|ing)?|litigation|made|make|making|marked|may|merg\w*|modif\w*|nocharge"
    r"|notices?|notif\w*|obligat\w*|obtain\w*|offer\w*|patents?|perform|permi\w*|perpetual"
    r"|persons?|portions?|prepar\w*|prior|promot\w*|propagat\w*|provid(?:e[ds]?|ing)|publicly"
    r"|publish\w*|purposes?|receiv\w*|redistribut\w*|remov\w*|reproduc\w*|required|retain\w*"
    r"|rights|run|sale|sells?|sold|(?<!open )source|subject|sublicens\w*|substantial|trademarks?"
    r"|transfer\w*|use[ds]?|using|warrant\w*|with|without|worldwide|written)\b"
)


def words_of(text: str) -> list[str]:
    """The words of a licence text that count when it is compared with another."""
    found: list[str] = _WORD.findall(_BROKEN.sub("", "\n".join(_telling(text.lower()))))
    words = (word.translate(_JOINERS) for word in found)
    kept = (word for word in words if len(word) > 1 and not word.isdigit())
    joined = " ".join(_SPELLINGS.get(word, word) for word in kept)
    for phrase, plain in _PHRASES:
        joined = phrase.sub(plain, joined)
    return joined.split()


def restricts(text: str) -> bool:
    """Whether a lower-case text has a word that may restrict a use."""
    return _RESTRICTS.search(text) is not None


def operative(words: list[str]) -> list[str]:
    """The words that say what is granted, demanded or refused."""
    return _OPERATIVE.findall(" ".join(words))


def _telling(lowered: str) -> Iterator[str]:
    """The lines but for titles, and for copyright lines with the names that go on below them."""
    number = 0
    names = False
    for line in lowered.split("\n"):
        if not line.strip():
            names = False
            continue
        names = _says_nothing(line, number) or (names and not _decides(line))
        number += 1
        if not names:
            yield line


def _says_nothing(line: str, number: int) -> bool:
    """Whether a line is a copyright line or a title, and nothing else."""
    if _HEADING.match(line):
        return True
    title = number < _TITLE_LINES and len(line.split()) <= _TITLE_WORDS and bool(_TITLE.match(line))
    return (title or _COPYRIGHT.match(line) is not None) and not restricts(line)


def _decides(line: str) -> bool:
    return _OPERATIVE.search(line) is not None or restricts(line)
