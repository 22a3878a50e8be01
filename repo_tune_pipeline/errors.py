"""What can go wrong, as one tree.

::

    RepoTuneError                 anything this package reports to a person; exit 1
    ├── UsageError                wrong use or wrong configuration; exit 2
    │   ├── ConfigError           a configuration file: file, key, what is allowed
    │   ├── UnsupportedError      something that the model asked can't do
    │   └── SourceError           a source that can't be read as a repository
    │       └── UnreachableError  because its server doesn't answer now
    ├── EmptyInputError           a stage was left with nothing to work on
    ├── StorageError              a file couldn't be written or read back
    ├── BaseModelError            a base model that can't be had
    ├── TeacherError              a teacher that doesn't answer
    ├── ModelServerError          any other model behind a server that doesn't answer
    ├── BusyError                 a local model that has no time now
    ├── NotAllowedError           something that the configuration doesn't let a caller do
    ├── DagsterError              the Dagster webserver doesn't answer, or refuses
    ├── TrainingError             the trainer ended without an adapter
    │   └── OutOfMemoryError      because memory did
    ├── EvaluationError           the evaluation ended without a report
    └── ExportError               what was made can't be put into another form or place
"""

from __future__ import annotations


class RepoTuneError(Exception):
    """An error with a message for people: what failed, on which input, and what to do.

    Args:
        problem: one sentence that names the input and what is wrong with it.
        remedy: one sentence that says what the reader can do, or an empty string.
    """

    exit_code = 1

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem} {remedy}".strip())


class UsageError(RepoTuneError):
    """The command, its arguments or its configuration can't be used as given."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file with an unknown key, a wrong type or a value out of range."""


class UnsupportedError(UsageError):
    """A question of a form that the model has no means for; another model may."""


class SourceError(UsageError):
    """A source that isn't a repository or folder, or a ref that it doesn't have."""


class UnreachableError(SourceError):
    """A server that didn't answer as one does; later it may."""


class EmptyInputError(RepoTuneError):
    """A stage has nothing, or too little, to work on."""


class StorageError(RepoTuneError):
    """A file under the home directory couldn't be written or read back."""


class BaseModelError(RepoTuneError):
    """A base model that is neither on this machine nor reachable."""


class TeacherError(RepoTuneError):
    """The teacher didn't answer; what it answered before is kept."""


class ModelServerError(RepoTuneError):
    """A model behind a server didn't answer, though it was asked again."""


class BusyError(RepoTuneError):
    """No answer now; `retry_after` says in how many seconds asking again is worth it."""

    def __init__(self, problem: str, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(problem, f"Ask again in {retry_after:.0f} s.")


class NotAllowedError(RepoTuneError):
    """The configuration doesn't let this be done over HTTP."""


class DagsterError(RepoTuneError):
    """Dagster's webserver doesn't answer, or not with what was asked for."""


class TrainingError(RepoTuneError):
    """The trainer ended without a whole adapter."""


class OutOfMemoryError(TrainingError):
    """The trainer asked for more memory than there is; stays in its stage while less can do."""


class EvaluationError(RepoTuneError):
    """The evaluation ended without a report."""


class ExportError(RepoTuneError):
    """An adapter that can't be merged, or can't be sent where it should go."""
