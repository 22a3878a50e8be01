"""Which checkpoint an interrupted training can go on from.

The trainer takes the highest number without looking inside, so a checkpoint that was being written
when the process died would end every later attempt. Here each is read before it is trusted.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any, cast

import orjson

_NAME = re.compile(r"checkpoint-(\d+)")
_ARCHIVES = ("optimizer.pt", "scheduler.pt")


def newest_whole_checkpoint(folder: Path) -> Path | None:
    """The whole checkpoint with the highest step; broken ones are renamed `broken-checkpoint-N`.

    One of the last step is passed over: from there the Trainer would make a step more than asked.
    """
    for step, checkpoint in sorted(_checkpoints(folder), reverse=True):
        state = _whole_state(checkpoint, step)
        if state is None:
            _set_aside(checkpoint)
        elif not state.get("max_steps") or step < state["max_steps"]:
            return checkpoint
    return None


def checkpoint_step(checkpoint: Path) -> int:
    """The step that the folder's name states."""
    found = _NAME.fullmatch(checkpoint.name)
    return int(found.group(1)) if found else 0


def whole_safetensors(path: Path) -> bool:
    """Whether a safetensors file's table can be read and all its tensors' bytes are there.

    Layout: 8 bytes of little-endian table length N, N bytes of JSON, then the tensors
    (https://huggingface.co/docs/safetensors, "Format").
    """
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            size = path.stat().st_size
            if not 2 <= length <= size - 8:
                return False
            table = cast(dict[str, dict[str, list[int]]], orjson.loads(stream.read(length)))
        ends = [entry["data_offsets"][1] for name, entry in table.items() if name != "__metadata__"]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return False
    return bool(ends) and max(ends) == size - 8 - length


def _checkpoints(folder: Path) -> list[tuple[int, Path]]:
    found = [path for path in folder.glob("checkpoint-*") if _NAME.fullmatch(path.name)]
    return [(checkpoint_step(path), path) for path in found]


def _whole_state(checkpoint: Path, step: int) -> dict[str, Any] | None:
    """The state of the Trainer in a whole checkpoint of that step, else None."""
    try:
        read = orjson.loads((checkpoint / "trainer_state.json").read_bytes())
        state = cast(dict[str, Any], read)
        reached = state["global_step"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    random_states = list(checkpoint.glob("rng_state*.pth"))
    whole = (
        reached == step
        and whole_safetensors(checkpoint / "adapter_model.safetensors")
        and bool(random_states)
        and all(
            _whole_archive(path)
            for path in [*(checkpoint / name for name in _ARCHIVES), *random_states]
        )
    )
    return state if whole else None


def _whole_archive(path: Path) -> bool:
    """Whether a `torch.save` file, a zip archive, is complete: every member's checksum holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError):
        return False


def _set_aside(checkpoint: Path) -> None:
    target = checkpoint.with_name(f"broken-{checkpoint.name}")
    number = 1
    while target.exists():
        number += 1
        target = checkpoint.with_name(f"broken-{checkpoint.name}.{number}")
    checkpoint.rename(target)
