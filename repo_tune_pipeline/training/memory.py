"""How much memory a QLoRA training takes, by part, as a closed form over sizes and settings.

Weights: NF4 holds 4 bits a parameter and, for 64 of them, one constant: 32 bits, or 8 and a 32-bit
one for 256 of those with double quantization (Dettmers et al. 2023, arXiv:2305.14314, section 3).
Adapter, gradients and optimizer: r (in + out) parameters a matrix (Hu et al. 2021,
arXiv:2106.09685), with Adam's two moments in 32 or 8 bits. Activations: the tensors that PyTorch
keeps of one layer for the backward pass, counted one by one as Korthikanti et al. 2022
(arXiv:2205.05198, section 4.1) count them, here for frozen weights with an adapter at each matrix,
which keeps its dropped-out input and the mask. With checkpointing a layer keeps its input alone
(Chen et al. 2016, arXiv:1604.06174). Logits: what the loss and its backward pass hold of that size;
with Liger's fused loss a part at a time, about as large as the last layer's input (Hsu et al. 2024,
arXiv:2410.10989, section 3.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from repo_tune_pipeline.training.ladder import Rung
from repo_tune_pipeline.training.shapes import ModelShape

GIB = 1024**3
CPU_PROGRAMS = round(0.88 * GIB)
"""Python with PyTorch, transformers and Axolotl at the trainer's first step: 0.88 GiB fits the
peaks of small trainings best, on Python 3.11 with PyTorch 2.13."""
GPU_PROGRAMS = round(0.6 * GIB)
"""A CUDA context and the libraries' work spaces. An assumption: PyTorch doesn't count them."""

_CPU_SLACK = 1.15
"""Of activations: what the C library keeps of memory that was given back in pieces, fitted to the
highest peaks measured. Runs of one training differ: nine of 16 rows of 986 tokens took 2.9 to
3.5 GB, of which the estimate says 3.7."""
_FULL, _HALF = 4, 2
_LOGITS_COPIES = 5
"""In 32 bits, at the peak: the logits, which the trainer holds, their log-probabilities, and the
gradients of both; five, with what else the backward pass holds, fit the measured peaks."""
_GPU_LOGITS_COPIES = 11
"""The same on a GPU, with what PyTorch's allocator keeps between rows of changing length: four
trainings of a 7B Qwen2 on an H200 reserved 9 to 13."""


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes on the device, by part; `total` is the peak.

    `loading` is what loading takes beyond all others together: PEFT's
    `prepare_model_for_kbit_training` holds what isn't quantized in 32 bits for a while.
    """

    weights: int
    adapter: int
    optimizer: int
    activations: int
    logits: int
    programs: int
    loading: int = 0

    @property
    def total(self) -> int:
        return sum(self.parts().values())

    def parts(self) -> dict[str, int]:
        return asdict(self)


def estimate_memory(
    shape: ModelShape, config: Mapping[str, Any], rung: Rung, *, on_gpu: bool
) -> MemoryEstimate:
    """The peak of a training step.

    Args:
        shape: of the base model.
        config: Axolotl's configuration; its quantization, rank and optimizer count.
        rung: micro-batch, sequence length and checkpointing, which replace the configuration's.
        on_gpu: whether activations are of 16 bits, as on a GPU, or of 32.
    """
    width = _HALF if on_gpu else _FULL
    tokens = rung.micro_batch_size * min(rung.sequence_len, shape.context)
    adapter = shape.adapter_parameters(int(config.get("lora_r") or 8))
    states = 2 if "8bit" in str(config.get("optimizer")) else 8
    slack = 1 if on_gpu else _CPU_SLACK
    layer = round(_layer_elements(shape, config, rung, on_gpu=on_gpu) * width * tokens * slack)
    logits = _logits(shape, config, tokens, on_gpu=on_gpu)
    if rung.gradient_checkpointing:
        # One layer at a time is made again, when the logits have gone.
        activations = shape.layers * shape.hidden * width * tokens + max(0, layer - logits)
    else:
        activations = shape.layers * layer
    step = MemoryEstimate(
        weights=_weights(shape, config, width),
        adapter=2 * _FULL * adapter,
        optimizer=states * adapter,
        activations=activations,
        logits=logits,
        programs=GPU_PROGRAMS if on_gpu else CPU_PROGRAMS,
    )
    loading = step.weights + shape.whole_parameters * (_FULL - width) + step.programs
    return replace(step, loading=max(0, loading - step.total))


def _logits(shape: ModelShape, config: Mapping[str, Any], tokens: int, *, on_gpu: bool) -> int:
    # Liger has it for all gated kinds that are counted here, and for no other.
    if config.get("liger_fused_linear_cross_entropy") and shape.gated:
        # A part's logits in 32 bits, and the gradient of all inputs in 16.
        return shape.hidden * tokens * (_FULL + _HALF)
    copies = _GPU_LOGITS_COPIES if on_gpu else _LOGITS_COPIES
    return shape.vocabulary * tokens * copies * _FULL


def _weights(shape: ModelShape, config: Mapping[str, Any], width: int) -> int:
    """The frozen model, and room for its largest matrix as it is computed with."""
    if config.get("load_in_4bit"):
        nested = (config.get("bnb_config_kwargs") or {}).get("bnb_4bit_use_double_quant", False)
        bits = 4 + (8 / 64 + 32 / (64 * 256) if nested else 32 / 64)
    elif config.get("load_in_8bit"):
        bits = 8 + 0.0
    else:
        bits = 8.0 * width
    whole = shape.whole_parameters * width
    largest = max(reads * writes for reads, writes in shape.linears) * width
    return round(shape.quantized_parameters * bits / 8) + whole + largest


def _layer_elements(
    shape: ModelShape, config: Mapping[str, Any], rung: Rung, *, on_gpu: bool
) -> float:
    """Elements that one layer keeps for a token."""
    hidden, inner = shape.hidden, shape.intermediate
    rank = int(config.get("lora_r") or 8)
    # Of each adapter the dropped-out input, the mask and what its first matrix gives.
    copies = 2 if config.get("lora_dropout") else 1
    adapters = sum(copies * reads + rank for reads, _ in shape.linears)
    length = min(rung.sequence_len, shape.context)
    if shape.gated:
        # Two norms' inputs; query, key, value and result; three in the gate; the mask as numbers.
        heads = shape.heads * shape.head
        return 2 * hidden + adapters + 4 * heads + 3 * inner + length
    # Two norms' inputs; query, key, value and result; the masks of two dropouts.
    activation = (4 if shape.kind == "gpt2" else 1) * inner
    # Dropout within the attention has no kernel on a CPU: there its weights are kept, thrice.
    weights = length if on_gpu else 3 * shape.heads * length
    return 8 * hidden + adapters + activation + weights
