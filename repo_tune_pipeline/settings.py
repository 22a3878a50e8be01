"""`configs/repo_tune.yaml` and the environment, as typed settings that are validated once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.records import TASKS, TaskName
from repo_tune_pipeline.yaml_files import read_yaml, validate

DEFAULT_CONFIG = Path("configs/repo_tune.yaml")
DEFAULT_HOME = Path(".repo_tune")
STARTER = "starter"
"""The name by which `base_model` means the model shipped inside this package."""

ProfileName = Literal["auto", "starter", "cpu", "gpu-8gb", "gpu-24gb", "gpu-80gb"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RepositorySettings(_Section):
    """One repository to ingest: a git URL, a local repository or a folder."""

    source: str
    ref: str = ""
    name: str = ""


class LicenseSettings(_Section):
    """Whose licences a file may stand under.

    `allow` holds SPDX identifiers. In a repository that a pattern of `trusted` names (shell
    patterns over owner/name) the repository's own licence is asked for nothing, not even to exist;
    a file under another one than the repository's is judged there, too.
    """

    allow: tuple[str, ...] = (
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "PSF-2.0",
        "Python-2.0",
        "Unlicense",
        "Zlib",
    )
    trusted: tuple[str, ...] = ("local/*", "repo-tune/*")
    min_similarity: float = Field(default=0.9, gt=0, le=1)


class IngestionSettings(_Section):
    """Which sources and files are read, and how much time and room they may take.

    `allow_ssh` lets `ssh://` and `user@host:path` in; `private_hosts` names the hosts that may lie
    at loopback, private or link-local addresses. `history_commits` is how many commits back the
    history is read for dates and changes; 0 reads none.
    """

    max_file_bytes: int = Field(default=1_000_000, ge=1_000)
    max_paths: int = Field(default=500_000, ge=1)
    max_text_bytes: int = Field(default=512 * 1024 * 1024, ge=1_000)
    max_archive_bytes: int = Field(default=1024 * 1024 * 1024, ge=1_000)
    max_archive_ratio: int = Field(default=100, ge=2)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    timeout_seconds: int = Field(default=600, ge=1)
    allow_ssh: bool = False
    private_hosts: tuple[str, ...] = ()
    history_commits: int = Field(default=400, ge=0)
    licenses: LicenseSettings = LicenseSettings()


class ChunkingSettings(_Section):
    """Limits on one chunk (characters), and on the processor time (seconds) and the memory (MiB)
    that parsing one file may take.
    """

    max_chunk_chars: int = Field(default=6_000, ge=200)
    parse_timeout_seconds: float = Field(default=1.5, gt=0)
    parse_memory_mib: int = Field(default=1_024, ge=128)


class TeacherSettings(_Section):
    """A model that enriches the data set, under a budget. Off unless `provider` names one.

    `i_may_send_this_code` must be true: what is sent leaves this machine, and a provider's unpaid
    tier may use it. The key stands in the environment variable that `key_variable` names. Prices
    are per million tokens; `max_money` is in their currency.
    """

    provider: Literal["", "gemini", "openai_api"] = ""
    model: str = ""
    base_url: str = ""
    key_variable: str = ""
    i_may_send_this_code: bool = False
    tasks: tuple[TaskName, ...] = ("code_explanation", "documentation", "domain")
    max_requests: int = Field(default=1_000, ge=0)
    max_tokens: int = Field(default=2_000_000, ge=0)
    max_money: float | None = Field(default=None, ge=0)
    price_input: float = Field(default=0.0, ge=0)
    price_output: float = Field(default=0.0, ge=0)
    concurrency: int = Field(default=4, ge=1, le=64)
    timeout_seconds: float = Field(default=60, gt=0)
    min_yield: float = Field(default=0.05, ge=0, le=1)


class SftSettings(_Section):
    """Which examples are made, how long they may be (characters), and what is held out.

    `heldout_share` of the files are held out by a hash of their path; beside them the
    `recent_share` that changed last, or all that changed after `recent_after`. `max_shares` limits
    how much of the whole a task may take. Of a repository with room for more than
    `max_examples_per_repository`, tasks are chosen in proportion to `task_weights` (1 for a task
    that isn't named); `near_duplicate` is the Jaccard similarity from which
    two chunks count as copies.
    """

    heldout_share: float = Field(default=0.15, gt=0, lt=1)
    recent_share: float = Field(default=0.05, ge=0, lt=1)
    recent_after: date | None = None
    min_heldout_examples: int = Field(default=8, ge=1)
    max_example_chars: int = Field(default=2_400, ge=200)
    tasks: tuple[TaskName, ...] = TASKS
    max_shares: dict[TaskName, float] = {"code_completion": 0.6}
    task_weights: dict[TaskName, Annotated[float, Field(gt=0)]] = {
        "code_completion": 0.5,
        "code_explanation": 3.0,
        "documentation": 3.0,
        "domain": 3.0,
        "api_usage": 2.0,
        "test_generation": 3.0,
    }
    max_examples_per_repository: int = Field(default=26_000, ge=1)
    max_examples_per_file: int = Field(default=400, ge=1)
    max_examples_per_symbol: int = Field(default=16, ge=1)
    near_duplicate: float = Field(default=0.8, gt=0, le=1)
    domains: tuple[str, ...] = ("general", "hyperswitch")
    teacher: TeacherSettings = TeacherSettings()


class TrainingSettings(_Section):
    """Which base model is trained under which hardware profile; empty means the profile's own.

    The profile `auto` is the one that fits the machine. `num_gpus` is how many GPUs train together,
    each in a process of its own; 0: all that there are. Without a GPU it counts CPU processes.
    `memory_gib` is the most main memory that the trainer may take; 0: all that there is.
    `replay` is how many examples of general code and prose are learned beside each of the team's
    own, so that they aren't forgotten; None: what suits the base model.
    """

    base_model: str = ""
    profile: ProfileName = "starter"
    max_steps: int | None = Field(default=None, ge=1)
    num_gpus: int = Field(default=0, ge=0)
    memory_gib: float = Field(default=0, ge=0)
    replay: float | None = Field(default=None, ge=0, le=4)
    shuffle_labels: bool = False

    def changed(self, changes: Mapping[str, object]) -> TrainingSettings:
        """These settings with one run's changes; an empty value changes nothing.

        Raises:
            ConfigError: a value isn't allowed.
        """
        given = {name: value for name, value in changes.items() if value}
        try:
            return TrainingSettings.model_validate({**self.model_dump(), **given})
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ConfigError(f"`{key}` is {first['input']!r}: {first['msg']}.") from None


class EmbeddingSettings(_Section):
    """A server of OpenAI's embeddings protocol, for dense vectors beside the words. Off unless
    `base_url` names one.

    `i_may_send_this_code` must be true: every chunk is sent there. `at_once` texts go in a request.
    """

    base_url: str = ""
    model: str = ""
    key_variable: str = ""
    i_may_send_this_code: bool = False
    at_once: int = Field(default=32, ge=1, le=2_048)
    timeout_seconds: float = Field(default=60, gt=0)


class RetrievalSettings(_Section):
    """The search index."""

    embedding: EmbeddingSettings = EmbeddingSettings()


class OpenAISettings(_Section):
    """A server of OpenAI's chat protocol, up to and with `/v1`, that is one more model to ask. Off
    unless `base_url` names one. The key stands in the environment variable that `key_variable`
    names; a local server needs none.
    """

    base_url: str = ""
    model: str = ""
    key_variable: str = ""


class AnsweringSettings(_Section):
    """How a question is answered: from at most so many passages, in at most so many tokens.

    Gemini, and a server of OpenAI's protocol that isn't on this machine, are asked only where
    `i_may_send_this_code`: the passages are sent to them. `gemini_url` is another place that speaks
    Gemini's protocol, such as a proxy.
    """

    passages: int = Field(default=5, ge=1, le=50)
    max_tokens: int = Field(default=256, ge=1)
    i_may_send_this_code: bool = False
    gemini_url: str = ""
    openai: OpenAISettings = OpenAISettings()
    timeout_seconds: float = Field(default=60, gt=0)


class EvaluationSettings(_Section):
    """What is measured, on how many held-out examples, and how intervals are drawn.

    `max_examples` are scored, for `max_generations` of them an answer of at most `max_new_tokens`
    is written, and `max_recent` of the files that changed last are scored beside them. `placebo`
    is the source of another repository, on which a second adapter is trained by the same recipe:
    an installed package's name, a folder or a git URL; empty trains none. Gemini is asked
    `max_gemini` of the questions, where it has a key and `answering.i_may_send_this_code`.
    `general_texts` is how many texts of code, and of prose, from elsewhere are scored.
    """

    max_examples: int = Field(default=300, ge=1)
    max_generations: int = Field(default=96, ge=0)
    max_new_tokens: int = Field(default=64, ge=1)
    max_recent: int = Field(default=100, ge=0)
    max_gemini: int = Field(default=48, ge=0)
    general_texts: int = Field(default=32, ge=0)
    placebo: str = "rich"
    bootstrap_resamples: int = Field(default=2_000, ge=100)
    seed: int = 0


class PromotionSettings(_Section):
    """What an adapter has to show before it takes the champion's place.

    Shares: `smallest_difference` of the base's bits per byte that is worth having,
    `max_general_loss` of the bits per byte on code and prose from elsewhere, `max_recited` of
    training texts that the adapter gives back word for word and the base doesn't.
    """

    min_examples: int = Field(default=20, ge=1)
    min_files: int = Field(default=8, ge=2)
    smallest_difference: float = Field(default=0.02, gt=0, lt=1)
    beyond_placebo: bool = True
    max_general_loss: float = Field(default=0.05, ge=0)
    max_recited: float = Field(default=0.25, ge=0, le=1)


class RetrainingSettings(_Section):
    """When the pipeline trains by itself, once its sensors are switched on.

    New commits are looked for every `poll_seconds`. A variant is trained again when at least
    `min_changed` of its examples aren't what its newest adapter learned from, or when any aren't
    and that adapter is `max_days` old; never sooner than `min_days` after it. `keep_versions` of a
    variant's newest versions stay, the champion and those before it besides.
    """

    poll_seconds: int = Field(default=300, ge=5)
    min_changed: float = Field(default=0.05, ge=0, le=1)
    max_days: float = Field(default=30, ge=0)
    min_days: float = Field(default=0, ge=0)
    schedule: str = "0 3 * * 0"
    keep_versions: int = Field(default=5, ge=1)


class ServiceSettings(_Section):
    """What the HTTP service may do, and for how many at once.

    `hosts` and `folders` are where a repository that is added over HTTP may lie: host names, and
    folders on this machine. `max_waiting` questions wait, whichever model they are put to; others
    are turned away before anything is done for them. `max_jobs_shown` is a page of `GET /jobs`.
    """

    hosts: tuple[str, ...] = ("github.com", "gitlab.com", "codeberg.org", "bitbucket.org")
    folders: tuple[str, ...] = ()
    max_waiting: int = Field(default=32, ge=1, le=1_000)
    max_jobs_shown: int = Field(default=50, ge=1, le=500)


class VariantSettings(_Section):
    """Which examples an adapter learns from; an empty filter takes all."""

    repositories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    tasks: tuple[TaskName, ...] = ()


class Settings(_Section):
    """The whole of `configs/repo_tune.yaml`."""

    repositories: tuple[RepositorySettings, ...] = ()
    ingestion: IngestionSettings = IngestionSettings()
    chunking: ChunkingSettings = ChunkingSettings()
    sft: SftSettings = SftSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    promotion: PromotionSettings = PromotionSettings()
    answering: AnsweringSettings = AnsweringSettings()
    service: ServiceSettings = ServiceSettings()
    retraining: RetrainingSettings = RetrainingSettings()
    variants: dict[str, VariantSettings] = {"main": VariantSettings()}


def load_settings(path: Path | None = None) -> Settings:
    """Read and validate the configuration.

    Args:
        path: a YAML file; None means `configs/repo_tune.yaml` of the working directory or, where
            there is none, the copy that came with the package.

    Raises:
        ConfigError: the file can't be read, isn't YAML, or has an unknown key or a wrong type.
    """
    file = path if path is not None else configs_dir() / DEFAULT_CONFIG.name
    return validate(Settings, read_yaml(file), file)


def configs_dir(config: Path | None = None) -> Path:
    """Where `axolotl.yaml`, `profiles/` and `domains/` lie.

    That is the folder of `config` if they lie there, else `configs/` of the working directory, of
    this checkout, or of the installed package.
    """
    if config is not None and (config.absolute().parent / "axolotl.yaml").is_file():
        return config.absolute().parent
    package = Path(__file__).parent
    candidates = (Path.cwd() / "configs", package.parent / "configs", package / "_configs")
    for candidate in candidates:
        if (candidate / DEFAULT_CONFIG.name).is_file():
            return candidate
    raise ConfigError(
        f"No {DEFAULT_CONFIG} was found in {Path.cwd()} or beside the package.",
        "Run from a checkout, or pass --config FILE.",
    )


def home_dir(given: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Where all state lies: the given folder, else REPO_TUNE_HOME, else `.repo_tune`; absolute."""
    return Path(given or environ.get("REPO_TUNE_HOME") or DEFAULT_HOME).expanduser().absolute()
