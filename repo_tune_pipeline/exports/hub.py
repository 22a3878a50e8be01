"""An exported folder on a hub; only ever on request."""

from __future__ import annotations

from pathlib import Path

from repo_tune_pipeline.errors import ExportError, UsageError


def push_folder(folder: Path, repo_id: str, *, public: bool) -> str:
    """Upload an exported folder as a model repository, made if it isn't there; its address.

    The hub and the token are those of huggingface_hub: `HF_ENDPOINT`, `HF_TOKEN` or the token that
    `hf auth login` left.

    Raises:
        UsageError: `folder` isn't an export.
        ExportError: the hub can't be reached or refuses.
    """
    if not (folder / "README.md").is_file() or not list(folder.glob("*.safetensors")):
        raise UsageError(
            f"{folder} isn't an exported adapter or model.",
            "Make one: `repo-tune export adapter` or `repo-tune export merged`.",
        )
    from huggingface_hub import HfApi

    try:
        hub = HfApi()
        made = hub.create_repo(repo_id, private=not public, exist_ok=True)
        hub.upload_folder(repo_id=repo_id, folder_path=folder)
    except Exception as error:  # the hub's client has a dozen kinds, each meaning the same here
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise ExportError(
            f"{folder} can't be pushed to {repo_id}: {said}.",
            "Log in (`hf auth login`, or HF_TOKEN), and see that this machine reaches the hub.",
        ) from None
    return str(made)
