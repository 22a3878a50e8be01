"""The starter model: weights and tokenizer as a Hugging Face folder, and the recipe they came from.

`AutoModelForCausalLM.from_pretrained(FOLDER)` loads it; `README.md` there is its model card.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
"""The folder to load the model and its tokenizer from."""
