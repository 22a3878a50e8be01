"""Domain packs: what a domain's topics are called, and which chunks belong to them."""

from __future__ import annotations

import string
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.sft.words import singular, words_of
from repo_tune_pipeline.yaml_files import read_yaml, validate

Word = Annotated[str, Field(pattern="^[a-z]+$")]
"""A lower-case word without digits or blanks: chunks are compared word by word."""
_PLACEHOLDERS = frozenset({"topic", "repo", "symbol", "path"})


class DomainTopic(BaseModel):
    """One topic: `words` tell its chunks, `questions` ask about them.

    A question must name {repo} and {topic}; it may name {symbol} and {path}.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    words: tuple[Word, ...] = Field(min_length=1)
    questions: tuple[str, ...] = Field(min_length=1)

    @field_validator("questions")
    @classmethod
    def _answerable(cls, questions: tuple[str, ...]) -> tuple[str, ...]:
        for question in questions:
            used = {field for _, field, _, _ in string.Formatter().parse(question) if field}
            if not used >= {"repo", "topic"} or not used <= _PLACEHOLDERS:
                raise ValueError(
                    f"{question!r} must hold {{repo}} and {{topic}}, and of others only "
                    "{symbol} and {path}"
                )
        return questions

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        return frozenset(singular(word) for word in self.words)


class DomainPack(BaseModel):
    """A domain: its topics, and how sure a match has to be.

    In a repository that one of `repositories` names (shell patterns over owner/name), one word of
    a topic is enough. Elsewhere `min_matches` are needed: different words of `vocabulary`
    anywhere in the chunk, beside one of the topic's, where the pack has a vocabulary; else
    matches of the topic's own words, one in the symbol or path counting as two.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str
    repositories: tuple[str, ...] = ()
    min_matches: int = Field(default=1, ge=1)
    vocabulary: tuple[Word, ...] = ()
    topics: tuple[DomainTopic, ...] = Field(min_length=1)

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(singular(word) for word in self.vocabulary)

    def is_home(self, repo: str) -> bool:
        """Whether `repo` is one of the repositories that this pack was written for."""
        return any(fnmatchcase(repo.lower(), form.lower()) for form in self.repositories)


def load_packs(folder: Path, names: Sequence[str]) -> tuple[DomainPack, ...]:
    """The packs `folder/<name>.yaml`, in the order of `names`.

    Raises:
        ConfigError: a pack is missing, isn't YAML, or has an unknown key or a wrong value.
    """
    packs: list[DomainPack] = []
    for name in dict.fromkeys(names):
        file = folder / f"{name}.yaml"
        if not file.is_file():
            known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml"))) or "none"
            raise ConfigError(
                f"`sft.domains` names {name}, but there is no {file}.", f"Found there: {known}."
            )
        pack = validate(DomainPack, read_yaml(file), file)
        if pack.name != name:
            raise ConfigError(f"{file}: `name` is {pack.name!r}.", f"Call it {name!r}.")
        packs.append(pack)
    return tuple(packs)


def best_topic(packs: Sequence[DomainPack], chunk: CodeChunk) -> DomainTopic | None:
    """The topic with most of its words in the chunk, or None where none matches.

    Words are those of identifiers, path and docstring. One in the symbol or the path counts as
    two matches; one that only stands in the code doesn't make a topic by itself or with others
    like it. A pack in its own repositories goes before others. Ties go to the earlier topic.
    """
    named = words_of(f"{chunk.symbol} {chunk.path}")
    told = named | words_of(chunk.docstring)
    everywhere = told | words_of(chunk.source)
    best: DomainTopic | None = None
    best_score = (False, 0)
    for pack in packs:
        home = pack.is_home(chunk.repo)
        if not home and pack.words and len(pack.words & everywhere) < pack.min_matches:
            continue
        needed = 1 if home or pack.words else pack.min_matches
        for topic in pack.topics:
            words = topic.vocabulary
            matches = len(words & everywhere) + len(words & named)
            score = (home, matches + len(words & told))
            if words & told and matches >= needed and score > best_score:
                best, best_score = topic, score
    return best
