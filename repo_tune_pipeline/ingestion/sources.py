"""What a user names as a source: a git URL, a local repository, a plain folder or an archive."""

from __future__ import annotations

import base64
import ipaddress
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.processes import printable

_FORMS = "Give an https:// URL, an existing folder, or a .zip or .tar archive (.gz, .bz2, .xz)."
_NO_SSH = "If you trust it, set `ingestion.allow_ssh: true`, or give its https:// URL."
_ARCHIVE = re.compile(r"\.(zip|tar|tar\.gz|tgz|tar\.bz2|tbz2|tar\.xz|txz)$", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_LITERAL_HOST = re.compile(r"^[A-Za-z]+://(?:[^/@]*@)?\[[0-9A-Fa-f:.]+\]")
_SCP = re.compile(r"(?:([\w.+-]+)@)?([\w.-]+):(.+)")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_USER = re.compile(r"[A-Za-z0-9_][\w.+-]*")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_REF = re.compile(
    r"(?![-/.])(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|$)|[/.]$))[^\x00-\x20\x7f~^:?*\[\\]+"
)


@dataclass(frozen=True)
class Remote:
    """A repository behind a URL.

    `url` carries no credentials; `config` hands them to git, for this URL alone. `ssh_options` are
    for the ssh that git starts.
    """

    url: str
    config: dict[str, str]
    ssh_options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Local:
    """A repository on this machine: `git_dir` with HEAD and objects, `worktree` if it has one."""

    folder: Path
    git_dir: Path
    worktree: Path | None


@dataclass(frozen=True)
class Folder:
    """A folder without a repository."""

    folder: Path


@dataclass(frozen=True)
class Archive:
    """A zip or tar file."""

    path: Path


Source = Remote | Local | Folder | Archive


def parse_source(source: str, *, allow_ssh: bool = False) -> Source:
    """Decide what `source` is; looks at the file system, never at the network.

    Raises:
        SourceError: it is nothing that can be read, or nothing that may be.
    """
    _check_plain(source)
    scheme = _SCHEME.match(source)
    if scheme is not None:
        return _parse_url(source, scheme[1].lower(), allow_ssh)
    path = Path(source).expanduser()
    scp = _SCP.fullmatch(source)
    if scp is not None and "/" not in source.partition(":")[0] and not path.exists():
        user, host, where = scp.groups()
        if not _HOST.fullmatch(host):
            raise SourceError(f"{public_source(source)} has no usable host name.", _FORMS)
        if not allow_ssh:
            raise SourceError(f"{public_source(source)} is reached by ssh, which is off.", _NO_SSH)
        return Remote(f"{user}@{host}:{where}" if user else f"{host}:{where}", {})
    return _parse_path(path, public_source(source))


def public_source(source: str) -> str:
    """`source` without credentials, query and control characters: fit to print and to store."""
    found = _SCHEME.match(source)
    if found is not None:
        head, rest = source[: found.end()], source[found.end() :]
        authority, slash, path = rest.partition("/")
        if "@" in path and re.search(r":(?!\d*$)", authority):
            return f"{head}…"  # a password with a slash in it: what it ends with can't be told
        keep_user = found[1].lower() == "ssh"
        host = authority.rpartition("@")[2]
        user = authority.rpartition("@")[0].partition(":")[0] if keep_user else ""
        path = re.split(r"[?#]", path, maxsplit=1)[0]
        source = f"{head}{user}{'@' if user else ''}{host}{slash}{path}"
    return printable(source)


def check_ref(ref: str) -> None:
    """Refuse what git itself wouldn't take as the name of a branch, a tag or a commit.

    Raises:
        SourceError: with what may be given instead.
    """
    if ref and not _REF.fullmatch(ref):
        raise SourceError(
            f"The ref {printable(ref)!r} isn't a name that a branch or tag can have.",
            "Give a branch, a tag or the id of a commit.",
        )


def repo_name(source: str, name: str = "") -> str:
    """The `owner/name` under which a source is kept.

    A given `name` is taken as it is; a URL gives its last two parts; a folder is `local/<name>`.

    Raises:
        SourceError: `name` isn't `owner/name` in letters, digits, `.`, `_` and `-`.
    """
    if name:
        parts = name.split("/")
        if len(parts) != 2 or not all(_PART.fullmatch(part) for part in parts):
            raise SourceError(
                f"The name {printable(name)!r} can't be used for a repository.",
                "Write it as owner/name, in letters, digits, '.', '_' and '-'.",
            )
        return name
    _check_plain(source)
    parsed = _SCHEME.match(source)
    scp = _SCP.fullmatch(source)
    local = Path(source).expanduser()
    if parsed is not None and parsed[1].lower() != "file":
        where = public_source(source)[parsed.end() :].rpartition("@")[2]
    elif parsed is None and scp is not None and not local.exists():
        where = f"{scp[2]}/{scp[3]}"
    else:
        path = Path(unquote(urlsplit(source).path)) if parsed is not None else local
        name = path.resolve().name
        return f"local/{_safe_part(_ARCHIVE.sub('', name) if path.is_file() else name)}"
    parts = [part for part in where.split("/") if part]
    owner, last = (parts[-2], parts[-1]) if len(parts) > 1 else ("remote", parts[-1])
    return f"{_safe_part(owner)}/{_safe_part(last)}"


def _safe_part(text: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text.removesuffix(".git")).lstrip(".-")
    return plain or "repository"


def _check_plain(source: str) -> None:
    if not source.strip():
        raise SourceError("The source is empty.", _FORMS)
    if source.startswith("-"):
        raise SourceError(
            f"The source {public_source(source)} looks like an option.",
            "Write a folder whose name begins with '-' as ./-name.",
        )
    if "::" in _LITERAL_HOST.sub("", source):
        raise SourceError(
            f"The source {public_source(source)} asks for a transport helper, or has '::' in it.",
            _FORMS,
        )
    if any(not char.isprintable() for char in source):
        raise SourceError(f"The source {public_source(source)} has control characters.", _FORMS)


def _parse_url(source: str, scheme: str, allow_ssh: bool) -> Source:
    shown = public_source(source)
    try:
        url = urlsplit(source)
        port = f":{url.port}" if url.port else ""
    except ValueError:
        raise SourceError(f"{shown} isn't a well-formed URL.", _FORMS) from None
    if scheme == "file":
        if url.netloc not in ("", "localhost"):
            raise SourceError(f"{shown} names a file on another machine.", _FORMS)
        return _parse_path(Path(unquote(url.path)), shown)
    if scheme not in ("https", "ssh"):
        raise SourceError(f"{shown} uses {scheme}://, which isn't read.", _FORMS)
    if scheme == "ssh" and not allow_ssh:
        raise SourceError(f"{shown} is reached by ssh, which is off.", _NO_SSH)
    if url.query or url.fragment:
        raise SourceError(f"The URL of {shown} has a query or fragment.", "Leave it out.")
    host = _host(url)
    if not host or not url.path.strip("/"):
        raise SourceError(f"{shown} doesn't name a host and a repository on it.", _FORMS)
    if scheme == "ssh":
        return Remote(_ssh_url(url, host + port, shown), {})
    plain = f"https://{host}{port}{url.path}"
    return Remote(plain, _credentials(url, plain))


def _host(url: SplitResult) -> str:
    """The host as it stands in a URL, or an empty string for what can be none."""
    host = url.hostname or ""
    if ":" not in host:
        return host if _HOST.fullmatch(host) else ""
    try:
        return f"[{ipaddress.IPv6Address(host)}]"
    except ValueError:
        return ""


def _ssh_url(url: SplitResult, host: str, shown: str) -> str:
    user = unquote(url.username or "")
    if user and not _USER.fullmatch(user):
        raise SourceError(f"{shown} has no usable user name.", _FORMS)
    return f"ssh://{user}{'@' if user else ''}{host}{url.path}"


def _credentials(url: SplitResult, plain: str) -> dict[str, str]:
    """The git configuration that signs requests to `plain`."""
    if not url.username and not url.password:
        return {}
    pair = f"{unquote(url.username or '')}:{unquote(url.password or '')}"
    token = base64.b64encode(pair.encode()).decode()
    return {f"http.{plain}.extraHeader": f"Authorization: Basic {token}"}


def _parse_path(path: Path, shown: str) -> Source:
    try:
        return _look_at(path, shown)
    except OSError as error:
        raise SourceError(f"{shown} can't be read: {error.strerror}.", _FORMS) from None


def _look_at(path: Path, shown: str) -> Source:
    if not path.is_dir():
        if path.is_file() and _ARCHIVE.search(path.name):
            return Archive(path.resolve())
        what = "is a file" if path.is_file() else "isn't there"
        raise SourceError(f"{shown} {what}: it is no folder, archive or git URL.", _FORMS)
    folder = path.resolve()
    inner = folder / ".git"
    try:
        mode = inner.lstat().st_mode
    except FileNotFoundError:
        bare = all((folder / part).is_dir() for part in ("objects", "refs"))
        if bare and (folder / "HEAD").is_file():
            return Local(folder, folder, None)
        return Folder(folder)
    if not stat.S_ISDIR(mode):
        raise SourceError(
            f"{shown} is a linked work tree or a submodule: its .git leads to another folder, "
            "which isn't followed.",
            "Name the repository that it belongs to, with --ref for the branch or commit.",
        )
    return Local(folder, inner, folder)
