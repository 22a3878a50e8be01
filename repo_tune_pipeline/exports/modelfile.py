"""Ollama's description of a model: https://docs.ollama.com/modelfile."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Template:
    """What stands around a question and an answer, and how many tokens the model reads."""

    head: str
    middle: str
    tail: str
    context: int


def modelfile(template: Template) -> str:
    """A Modelfile to stand beside the weights; the model is asked as it was trained."""
    asked = f"{template.head}{{{{ .Prompt }}}}{template.middle}{{{{ .Response }}}}{template.tail}"
    lines = ["FROM .", f'TEMPLATE """{asked}"""', "PARAMETER temperature 0"]
    if template.tail.strip():
        lines.append(f'PARAMETER stop "{template.tail.strip()}"')
    if template.context:
        lines.append(f"PARAMETER num_ctx {template.context}")
    return "\n".join(lines) + "\n"
