"""Which base model a name means, and whether it can be had: packaged, a folder, or a hub id."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import orjson

import repo_tune_pipeline
from repo_tune_pipeline.artifacts import digest_bytes, digest_file, digest_json
from repo_tune_pipeline.errors import BaseModelError
from repo_tune_pipeline.settings import STARTER

MODEL_FILES = ("*.json", "*.safetensors", "*.jinja", "*.txt", "*.model")
"""All that a base model needs: no programs, and no pickles, which can hold programs."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
_WHOLE_DIGEST_BYTES = 256 * 1024 * 1024
_SAMPLES = 64
_CONTEXTS = ("max_position_embeddings", "n_positions", "n_ctx")


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model.

    `name` is what the user wrote. `reference` is what Axolotl and PEFT are told: an absolute
    folder, or the hub id. `folder` is where it lies on this machine, or None if it must be
    fetched first. `digest` is 64 hexadecimal digits over the files of a folder, or over the id
    and revision of a hub model.
    """

    name: str
    reference: str
    folder: Path | None
    digest: str


def starter_folder() -> Path:
    """Where the packaged model lies."""
    return Path(repo_tune_pipeline.__file__).parent / "models" / "starter"


def resolve_base_model(name: str, *, revision: str = "") -> BaseModel:
    """Find a base model without a network and without loading it.

    Args:
        name: `starter`, a folder, or a hub id.
        revision: of a hub model; empty means `main`.

    Raises:
        BaseModelError: it can't be had, or isn't a model in safetensors form.
    """
    if name == STARTER:
        return _starter()
    folder = Path(name).expanduser()
    if folder.is_dir() and ((folder / "config.json").is_file() or not _is_hub_id(name)):
        folder = folder.resolve()
        check_folder(folder, name)
        return BaseModel(name, str(folder), folder, digest_model(folder))
    if not _is_hub_id(name):
        raise BaseModelError(
            f"Base model {name}: there is no such folder, and it isn't a hub id.",
            "Name a folder with config.json and safetensors, or an id such as "
            "Qwen/Qwen2-7B-Instruct.",
        )
    return _hub_model(name, revision)


def fetch_base_model(model: BaseModel, *, revision: str = "") -> BaseModel:
    """Bring a hub model onto this machine; the only place that uses a network.

    Raises:
        BaseModelError: the hub can't be reached or doesn't give it.
    """
    if model.folder is not None:
        return model
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(
            model.reference, revision=revision or None, allow_patterns=list(MODEL_FILES)
        )
    except Exception as error:  # the hub's client has a dozen kinds, each meaning the same here
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise _absent(model.name, f"and fetching it failed: {said}") from None
    fetched = _hub_model(model.name, revision)
    if fetched.folder is None:
        raise _absent(model.name, "and the hub has no such files")
    return fetched


def check_folder(folder: Path, name: str) -> None:
    """Return if `folder` holds config, safetensors weights and a tokenizer.

    Raises:
        BaseModelError: something is missing, or the weights are pickled.
    """
    if not (folder / "config.json").is_file():
        raise BaseModelError(
            f"Base model {name}: {folder} has no config.json.",
            "Name a folder as `save_pretrained` writes it.",
        )
    if not _has_weights(folder):
        pickled = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
        if pickled:
            raise BaseModelError(
                f"Base model {name}: its weights are pickled ({pickled[0]}), and a pickle can run "
                "programs when it is opened.",
                "Convert it to safetensors where you trust it (`AutoModelForCausalLM"
                ".from_pretrained(…).save_pretrained(FOLDER)`), and pass that folder.",
            )
        raise BaseModelError(
            f"Base model {name}: {folder} lacks its safetensors weights, or a part of them.",
            "Fetch or copy the model again.",
        )
    if not any((folder / file).is_file() for file in _TOKENIZERS):
        raise BaseModelError(
            f"Base model {name}: {folder} has no tokenizer.",
            "Put tokenizer.json and tokenizer_config.json beside the weights.",
        )


def context_tokens(model: BaseModel) -> int | None:
    """The most tokens that a model was built to read; None where its config.json doesn't say."""
    if model.folder is None:
        return None
    config = orjson.loads((model.folder / "config.json").read_bytes())
    found = (config.get(key) for key in _CONTEXTS)
    return next((int(most) for most in found if most), None)


def digest_model(folder: Path) -> str:
    """SHA-256 over names and contents of a model's files.

    Of a file above 256 MiB the size, the first bytes (where safetensors has its table) and 64
    evenly spaced samples are digested instead of all of it.
    """
    files = sorted({path for pattern in MODEL_FILES for path in folder.glob(pattern)})
    return digest_json([[path.name, _digest_large(path)] for path in files if path.is_file()])


def _starter() -> BaseModel:
    folder = starter_folder()
    if not (folder / "config.json").is_file() or not _has_weights(folder):
        raise BaseModelError(
            f"Base model {STARTER}: its weights are missing from {folder}.",
            "Install this package again, or train them with "
            "`python -m repo_tune_pipeline.models.starter.recipe`.",
        )
    check_folder(folder, STARTER)
    return BaseModel(STARTER, str(folder), folder, digest_model(folder))


def _hub_model(name: str, revision: str) -> BaseModel:
    folder = _cached(name, revision)
    digest = digest_bytes(f"hub:{name}@{revision or 'main'}".encode())
    if folder is not None and (_has_weights(folder) or _has_pickles(folder)):
        check_folder(folder, name)
        return BaseModel(name, name, folder, digest)
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise _absent(name, "and HF_HUB_OFFLINE forbids fetching it")
    return BaseModel(name, name, None, digest)


def _cached(name: str, revision: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(name, "config.json", revision=revision or None)
    return Path(found).parent if isinstance(found, str) else None


def _absent(name: str, tried: str) -> BaseModelError:
    return BaseModelError(
        f"Base model {name} is neither a folder nor in the local hub cache, {tried}.",
        f"Fetch it where there is a network: `hf download {name}`; or name another with "
        "--base-model FOLDER, or --base-model starter.",
    )


def _is_hub_id(name: str) -> bool:
    return _HUB_ID.fullmatch(name) is not None


def _has_pickles(folder: Path) -> bool:
    return any(True for pattern in _PICKLES for _ in folder.glob(pattern))


def _has_weights(folder: Path) -> bool:
    """One file, or all the parts that the index names."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        parts = set(orjson.loads(index.read_bytes())["weight_map"].values())
        return all((folder / part).is_file() for part in parts)
    return (folder / "model.safetensors").is_file()


def _digest_large(path: Path) -> str:
    size = path.stat().st_size
    if size <= _WHOLE_DIGEST_BYTES:
        return digest_file(path)
    pieces: list[str] = [str(size)]
    with path.open("rb") as stream:
        for index in range(_SAMPLES):
            stream.seek(index * (size - 65536) // (_SAMPLES - 1))
            pieces.append(digest_bytes(stream.read(65536)))
    return digest_json(pieces)
