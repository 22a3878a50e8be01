"""A model's card: README.md with the front matter that Hugging Face's tools read.

See https://huggingface.co/docs/hub/model-cards, "Model card metadata".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import yaml

from repo_tune_pipeline.exports.version import AdapterVersion

Form = Literal["adapter", "merged"]


def card(adapter: AdapterVersion, form: Form) -> str:
    """The text of README.md for an adapter's folder, or for the model that it was merged into."""
    return f"---\n{_front_matter(adapter, form)}---\n\n{_body(adapter, form)}"


def _front_matter(adapter: AdapterVersion, form: Form) -> str:
    front: dict[str, object] = {}
    if adapter.base_is_on_a_hub:
        relation = {"adapter": "adapter", "merged": "finetune"}[form]
        front |= {"base_model": adapter.base, "base_model_relation": relation}
    front |= {
        "library_name": {"adapter": "peft", "merged": "transformers"}[form],
        "pipeline_tag": "text-generation",
        "language": ["en"],
        "tags": ["code", "qlora"],
    }
    return yaml.safe_dump(front, sort_keys=False)


def _body(adapter: AdapterVersion, form: Form) -> str:
    run = adapter.run
    what = {
        "adapter": f"A LoRA adapter for {run['base_model']}",
        "merged": f"{run['base_model']} with a LoRA adapter merged into its weights",
    }[form]
    examples = run["examples"]
    facts = [
        ("version", run["version"]),
        ("base model", run["base_model"]),
        ("SHA-256 of the base model", run["base_digest"]),
        ("SHA-256 of the data set's manifest", run["dataset_digest"]),
        ("examples learned from", f"{examples['kept']:,} of {examples['seen']:,}"),
        ("… general ones among those", f"{examples.get('replayed', 0):,}"),
        ("optimizer steps", f"{run['steps']:,}"),
        ("training loss, mean and last", f"{run['train_loss']:.3f}, {run['final_loss']:.3f}"),
        ("profile", run["profile"]),
        *(sorted(run["versions"].items())),
    ]
    parts = [
        f"# {adapter.name}",
        f"{what}, trained by repo_tune_pipeline on examples from the source code below.",
        "## Sources",
        _table(("repository", "commit"), run["repositories"].items()),
        "What the sources' licences ask for holds for what is quoted from them; the base model's "
        "licence holds for its weights.",
        "## Training",
        _table(("", ""), facts),
        "## Verdict",
        _verdict(adapter),
    ]
    return "\n\n".join(parts) + "\n"


def _verdict(adapter: AdapterVersion) -> str:
    if not adapter.verdict:
        return "Not evaluated."
    reasons = " ".join(adapter.verdict.get("reasons", ()))
    return f"{adapter.verdict['decision']}. {reasons}".strip()


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows
    ]
    return "\n".join(lines)
