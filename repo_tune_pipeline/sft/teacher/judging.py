"""What of the teacher's replies may become an example, and for which reason the rest doesn't."""

from __future__ import annotations

import re

from repo_tune_pipeline.clients import Reply
from repo_tune_pipeline.sft.teacher.prompts import Lesson, read_lesson

_WORD = re.compile(r"[A-Za-z]+")
_FENCED = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
_ENGLISH_LIST = """
    a an the of to in is are it its and or that this with for from by as on if when be not which
    at into has have can
"""
_ENGLISH = frozenset(_ENGLISH_LIST.split())
MIN_ENGLISH_SHARE = 0.15
"""Share of these words among all: English prose has 0.3 and more, other languages hardly any."""


def lesson_in(reply: Reply, symbol: str) -> Lesson | str:
    """The lesson that a reply holds, or the reason to drop it."""
    if reply.finish != "stop":
        return f"teacher_{reply.finish}"
    lesson = read_lesson(reply.text)
    if lesson is None:
        return "teacher_malformed"
    if not _same_symbol(lesson.symbol, symbol):
        return "teacher_other_symbol"
    if not is_english(f"{lesson.question} {lesson.answer}"):
        return "teacher_not_english"
    return lesson


def is_english(text: str) -> bool:
    """Whether a text, code in it aside, is made of English words."""
    prose = _FENCED.sub(" ", text)
    words = [word.lower() for word in _WORD.findall(prose)]
    letters = sum(character.isalpha() for character in prose)
    plain = sum(len(word) for word in words)
    if not words or plain < 0.9 * letters:
        return False
    return sum(word in _ENGLISH for word in words) >= MIN_ENGLISH_SHARE * len(words)


def _same_symbol(named: str, symbol: str) -> bool:
    """Whether both end in the same name, however much of its path one of them gives."""
    return bool(named) and _last(named) == _last(symbol)


def _last(symbol: str) -> str:
    parts = re.findall(r"[\w$?!]+", symbol.partition("(")[0])
    return parts[-1] if parts else symbol.strip()
