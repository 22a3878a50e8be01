"""`python -m repo_tune_pipeline.models.check_adapter FOLDER`: does it load with plain PEFT?"""

# This module runs in a process of its own: heavy imports at its top are its purpose.
# ruff: noqa: TID253

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM


def check_adapter(folder: Path) -> str:
    """Load base and adapter as a user of PEFT would and compare their outputs.

    Returns:
        One sentence on how far apart the logits of base and adapter are.

    Raises:
        ValueError: the adapter's output holds a NaN, or is the base's own.
    """
    base_name = json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
    base = AutoModelForCausalLM.from_pretrained(base_name, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, str(folder)).eval()
    tokens = torch.arange(1, 33).unsqueeze(0)
    with torch.inference_mode():
        adapted = model(input_ids=tokens).logits
        with model.disable_adapter():
            plain = model(input_ids=tokens).logits
    if torch.isnan(adapted).any():
        raise ValueError("The adapter's logits hold a NaN.")
    distance = (adapted - plain).abs().max().item()
    if distance == 0:
        raise ValueError("The adapter changes nothing: its logits are the base's.")
    return f"Loaded onto {base_name}; the logits differ by up to {distance:.3f}."


def main() -> None:
    """Exit 0 with a sentence on standard output, or 1 with the reason on standard error."""
    try:
        sys.stdout.write(check_adapter(Path(sys.argv[1])) + "\n")
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
