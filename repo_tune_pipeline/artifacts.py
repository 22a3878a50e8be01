"""Where things are kept, how they are written, and what identifies their content.

Everything lies under one home directory::

    mirrors/<owner>/<name>.git          bare mirrors of git sources
    repos/<owner>/<name>/               source.json, snapshot/ and chunks/ of the newest ingestion,
                                        and what was made of each text, by content (*.db)
    datasets/<digest>/                  sft.jsonl, sft_readable.json, heldout.jsonl, …
    datasets/latest                     a link to the newest of them
    index/                              the search index over all chunks
    adapters/<variant>/<version>/       adapter versions; `latest` links to the newest
    evaluations/<variant>/<version>/    reports, one folder an adapter version; `latest` likewise
    champions/<variant>.json            the version that was promoted last, and those before
    training/<variant>/<fingerprint>/   a training under way or interrupted, with its checkpoints
    teacher.db                          a teacher's answers, by what it was asked
    state/<stage>/<key>.json            what a stage last did, and from which inputs
    jobs/<run id>/                      what a run made, and a lock that its process holds
    dagster/                            the Dagster instance, unless DAGSTER_HOME names another
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

import orjson

from repo_tune_pipeline.errors import StorageError


def digest_bytes(data: bytes) -> str:
    """SHA-256 of `data`, as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest_json(value: object) -> str:
    """SHA-256 of the canonical JSON (sorted keys, no blanks) of `value`."""
    return digest_bytes(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_folder(folder: Path) -> str:
    """SHA-256 over the relative names and contents of all files below `folder`."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return digest_json([[str(path.relative_to(folder)), digest_file(path)] for path in files])


def write_file(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Put `data` at `path` whole or not at all: temporary file, fsync, rename.

    Raises:
        StorageError: the disk is full or the folder can't be written; nothing is left behind.
    """
    parts = (data,) if isinstance(data, bytes) else data
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            for part in parts:
                stream.write(part)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise storage_error(path, error) from None
        raise


def write_json(path: Path, value: object) -> None:
    """`value` as indented JSON with sorted keys, written by `write_file`."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    write_file(path, orjson.dumps(value, option=options))


def read_json(path: Path) -> dict[str, object]:
    """A JSON object that `write_json` wrote.

    Raises:
        StorageError: the file is missing or isn't a JSON object.
    """
    try:
        value = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise StorageError(f"{path} can't be read: {error}.", "Run the stage again.") from None
    if not isinstance(value, dict):
        raise StorageError(f"{path} isn't a JSON object.", "Run the stage again.")
    return value


@contextmanager
def new_folder(target: Path) -> Generator[Path]:
    """Build a folder aside and move it to `target` only when the block ended well.

    An older folder at `target` stays until the new one is whole.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield building
        building.chmod(0o755)
        replace_folder(building, target)
    except OSError as error:
        raise storage_error(target, error) from None
    finally:
        shutil.rmtree(building, ignore_errors=True)


def replace_folder(built: Path, target: Path) -> None:
    """Move `built` to `target`; what stood there is removed afterwards."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    built.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def point_latest(target: Path) -> None:
    """Let the link `latest` beside `target` point at it, in one step."""
    link = target.with_name("latest")
    temporary = target.with_name(f".latest.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target.name)
    temporary.replace(link)


def storage_error(path: Path, error: OSError) -> StorageError:
    """A StorageError for `path`, which says so if the disk is full."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"The disk is full: {path} wasn't written.",
            "Free some space, or pass --home on another disk, and run again.",
        )
    return StorageError(f"{path} can't be written: {error.strerror or error}.")


class Home:
    """Paths under the home directory; creates nothing by itself."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def latest_dataset(self) -> Path:
        return self.datasets / "latest"

    @property
    def index(self) -> Path:
        return self.root / "index"

    @property
    def teacher_answers(self) -> Path:
        """What a teacher said; paid for, so no command removes it."""
        return self.root / "teacher.db"

    @property
    def mirrors(self) -> Path:
        return self.root / "mirrors"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    def repo(self, name: str) -> Path:
        return self.root / "repos" / name

    def snapshot(self, name: str) -> Path:
        return self.repo(name) / "snapshot"

    def chunks(self, name: str) -> Path:
        return self.repo(name) / "chunks"

    def adapters(self, variant: str) -> Path:
        return self.root / "adapters" / variant

    def evaluations(self, variant: str) -> Path:
        return self.root / "evaluations" / variant

    def champion(self, variant: str) -> Path:
        return self.root / "champions" / f"{variant}.json"

    @property
    def ladders(self) -> Path:
        """Which settings fitted into memory, by base model and machine."""
        return self.root / "ladders"

    def training(self, variant: str, fingerprint: str) -> Path:
        return self.root / "training" / variant / fingerprint[:12]

    def repo_names(self) -> list[str]:
        """All ingested repositories, as sorted `owner/name`."""
        base = self.root / "repos"
        found = base.glob("*/*/source.json")
        return sorted(str(path.parent.relative_to(base)) for path in found)

    def state(self, stage: str, key: str = "all") -> Path:
        """The record of a stage's newest success: fingerprint, data version and result."""
        return self.root / "state" / stage / f"{key}.json"
