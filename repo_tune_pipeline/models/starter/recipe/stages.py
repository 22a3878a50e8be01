"""The recipe as a list of stages, each of which leaves its result in the work folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from repo_tune_pipeline.errors import EmptyInputError, UsageError

STAGES = ("corpus", "tokenizer", "tokens", "examples", "train", "export")


MODEL_FILES = frozenset(
    {
        "README.md",
        "chat_template.jinja",
        "config.json",
        "corpus.json",
        "generation_config.json",
        "model.safetensors",
        "special_tokens_map.json",
        "tokenization_starter.py",
        "tokenizer.json",
        "tokenizer_config.json",
    }
)
"""What an export may find in its folder and replace."""


@dataclass(frozen=True)
class Recipe:
    """Where the model goes, where its parts lie meanwhile, and how long it trains.

    `only` names the distributions to read ("cpython" is the standard library); empty for all.
    """

    out: Path
    work: Path
    minutes: float
    threads: int
    only: frozenset[str] = frozenset()

    def run(self, stages: Sequence[str] = STAGES) -> None:
        """Run `stages` in the recipe's order.

        Raises:
            UsageError: an unknown stage, or `out` holds something other than such a model.
            EmptyInputError: too small a corpus.
            StorageError: a stage's input is missing, or its result can't be written.
        """
        unknown = sorted(set(stages) - set(STAGES))
        if unknown:
            raise UsageError(f"There is no stage {unknown[0]!r}.", f"Name some of {STAGES}.")
        _require_replaceable(self.out)
        steps: dict[str, Callable[[], None]] = {
            "corpus": self._corpus,
            "tokenizer": self._tokenizer,
            "tokens": self._tokens,
            "examples": self._examples,
            "train": self._train,
            "export": self._export,
        }
        self.work.mkdir(parents=True, exist_ok=True)
        for name in STAGES:
            if name in stages:
                print(f"{name} …", flush=True)
                steps[name]()

    def _corpus(self) -> None:
        from repo_tune_pipeline.models.starter.recipe.corpus import collect, save_documents

        if not self._documents.is_file():
            save_documents(self._documents, collect(self.only))

    def _tokenizer(self) -> None:
        from repo_tune_pipeline.models.starter.recipe.corpus import load_documents
        from repo_tune_pipeline.models.starter.recipe.tokenizer import (
            save_tokenizer,
            train_tokenizer,
        )

        if not (self.work / "tokenizer" / "tokenizer.json").is_file():
            tokenizer = train_tokenizer(load_documents(self._documents))
            save_tokenizer(tokenizer, self.work / "tokenizer")

    def _tokens(self) -> None:
        from tokenizers import Tokenizer

        from repo_tune_pipeline.models.starter.recipe.corpus import load_documents
        from repo_tune_pipeline.models.starter.recipe.tokens import plain_blocks, save_blocks

        tokenizer = Tokenizer.from_file(str(self.work / "tokenizer" / "tokenizer.json"))
        documents = load_documents(self._documents)
        for name, heldout in (("heldout", True), ("plain", False)):
            path = self.work / f"{name}.npz"
            if not path.is_file():
                chosen = [each for each in documents if each.heldout is heldout]
                _require(chosen, f"{len(documents)} documents")
                save_blocks(path, plain_blocks(tokenizer, chosen))

    def _examples(self) -> None:
        from transformers import PreTrainedTokenizerFast

        from repo_tune_pipeline.models.starter.recipe.corpus import load_documents
        from repo_tune_pipeline.models.starter.recipe.examples import make_examples
        from repo_tune_pipeline.models.starter.recipe.tokens import example_blocks, save_blocks

        tokenizer = PreTrainedTokenizerFast.from_pretrained(self.work / "tokenizer")
        documents = load_documents(self._documents)
        for name, heldout in (("heldout_examples", True), ("examples", False)):
            path = self.work / f"{name}.npz"
            if not path.is_file():
                examples = make_examples(documents, heldout=heldout)
                save_blocks(path, example_blocks(tokenizer, examples))

    def _train(self) -> None:
        from repo_tune_pipeline.models.starter.recipe.train import Trainer

        Trainer(self.work, self.minutes, self.threads).run(lambda line: print(line, flush=True))

    def _export(self) -> None:
        from repo_tune_pipeline.models.starter.recipe.corpus import load_documents
        from repo_tune_pipeline.models.starter.recipe.export import export

        export(self.work, self.out, load_documents(self._documents))

    @property
    def _documents(self) -> Path:
        return self.work / "documents.jsonl"


def _require(chosen: Sequence[object], found: str) -> None:
    if not chosen:
        raise EmptyInputError(
            f"The corpus of {found} is too small to train on some and hold others out.",
            "Let `--only` name more distributions, or leave it away.",
        )


def _require_replaceable(out: Path) -> None:
    foreign = sorted(each.name for each in out.iterdir()) if out.is_dir() else []
    foreign = [name for name in foreign if name not in MODEL_FILES]
    if foreign:
        raise UsageError(f"{out} holds {foreign[0]}, which no model does.", "Name a new folder.")
