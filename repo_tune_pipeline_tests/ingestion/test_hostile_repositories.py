"""Repositories made to harm: nothing of theirs runs, is followed or fills the machine."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from repo_tune_pipeline.errors import RepoTuneError, SourceError
from repo_tune_pipeline.ingestion import head_commit, public_source, repo_name
from repo_tune_pipeline.settings import IngestionSettings
from repo_tune_pipeline_tests.ingestion.conftest import Ingest
from repo_tune_pipeline_tests.ingestion.repositories import Repository

CODE = "x = 1\n"


def test_no_program_named_by_the_repository_runs(
    repository: Repository, read: Ingest, tmp_path: Path
) -> None:
    repository.commit({"a.py": CODE, ".gitattributes": "*.py filter=evil diff=evil merge=evil\n"})
    marker = tmp_path / "it-ran"
    program = tmp_path / "evil.sh"
    program.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n")
    program.chmod(0o755)
    settings = """
        core.fsmonitor core.sshCommand core.pager core.editor core.askPass core.gitProxy
        gpg.program uploadpack.packObjectsHook credential.helper diff.external
        filter.evil.smudge filter.evil.clean filter.evil.process diff.evil.textconv
        remote.origin.uploadpack alias.ls-tree alias.cat-file
    """
    for key in settings.split():
        repository.git("config", key, str(program))
    repository.git("config", "remote.origin.url", f"ext::{program}")
    repository.git("config", "remote.origin.promisor", "true")
    repository.git("config", "extensions.partialClone", "origin")
    for hook in ("pre-commit", "post-checkout", "post-index-change", "reference-transaction"):
        (repository.folder / ".git" / "hooks" / hook).write_bytes(program.read_bytes())
        (repository.folder / ".git" / "hooks" / hook).chmod(0o755)
    repository.write({"a.py": "x = 2\n"})

    snapshot = read(repository.folder)

    assert [file.text for file in snapshot.files] == [CODE]
    assert "1 file of the working folder differs" in snapshot.notice
    assert not marker.exists()


@pytest.mark.parametrize(
    "source",
    [
        "ext::sh -c touch% marker",
        "fd::17",
        "https::https://host.test/a/b",
        "--upload-pack=touch marker",
        "-",
        "git://host.test/a/b",
        "http://host.test/a/b",
        "ftp://host.test/a/b",
        "file://other.test/a/b",
        "ssh://-oProxyCommand=touch marker/a/b",
        "ssh://-oProxyCommand=x@host.test/a/b",
        "git@-oProxyCommand=x:a/b",
        "https:///a/b",
        "https://host.test",
        "https://host.test:port/a/b",
        "https://host.test/a/b\nc",
        "/there/is/no/such/folder",
        "",
    ],
)
def test_a_source_that_could_be_anything_else_is_refused(
    source: str, read: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_ssh: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SourceError) as caught:
        read(source, name="a/b")
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("ref", ["--output=x", "-x", "a..b", "HEAD~1", "a b", "@{1}", "a:b", "*"])
def test_a_ref_that_no_branch_can_have_is_refused(
    ref: str, repository: Repository, read: Ingest
) -> None:
    repository.commit({"a.py": CODE})
    for source in (str(repository.folder), "https://host.test/a/b"):
        with pytest.raises(SourceError, match="isn't a name that a branch or tag can have"):
            read(source, ref=ref)


def test_credentials_are_never_shown() -> None:
    for source in (
        "https://someone:s3cret@host.test/a/b",
        "https://s3cret@host.test/a/b",
        "https://host.test/a/b?token=s3cret",
        "https://someone:s3/cret@host.test/a/b",
        "ssh://git:s3cret@host.test/a/b",
        "http://someone:s3cret@host.test/a/b",
        "https://someone:s3cret@host.test:port/a/b",
    ):
        assert "s3cret" not in public_source(source)
        assert "cret@" not in public_source(source)
        assert "s3cret" not in repo_name(source)
    settings = IngestionSettings()
    for refused in ("http://x:s3cret@host.test/a/b", "https://x:s3cret@host.test/a/b?q=s3cret"):
        with pytest.raises(SourceError) as caught:
            head_commit(refused, settings=settings)
        assert "s3cret" not in str(caught.value)


def test_objects_of_another_repository_are_never_read(
    repository: Repository, read: Ingest, tmp_path: Path
) -> None:
    private = Repository(tmp_path / "private")
    secret = private.commit({"secret.py": "password = 'hunter2'\n"})
    stolen = private.folder / ".git"

    git_file = tmp_path / "git-file"
    git_file.mkdir()
    (git_file / ".git").write_text(f"gitdir: {stolen}\n")

    git_link = tmp_path / "git-link"
    git_link.mkdir()
    (git_link / ".git").symlink_to(stolen)

    alternates = Repository(tmp_path / "alternates")
    (alternates.folder / ".git/objects/info").mkdir(exist_ok=True)
    (alternates.folder / ".git/objects/info/alternates").write_text(f"{stolen}/objects\n")

    linked = Repository(tmp_path / "linked-objects")
    (linked.folder / ".git/objects").rename(tmp_path / "aside")
    (linked.folder / ".git/objects").symlink_to(stolen / "objects")

    fanned = Repository(tmp_path / "linked-fan-out")
    (fanned.folder / ".git/objects" / secret[:2]).symlink_to(stolen / "objects" / secret[:2])

    single = Repository(tmp_path / "linked-object")
    (single.folder / ".git/objects" / secret[:2]).mkdir()
    object_file = Path("objects") / secret[:2] / secret[2:]
    (single.folder / ".git" / object_file).symlink_to(stolen / object_file)

    common = Repository(tmp_path / "common")
    (common.folder / ".git/commondir").write_text(f"{stolen}\n")

    for hostile in (
        git_file,
        git_link,
        *(r.folder for r in (alternates, linked, fanned, single, common)),
    ):
        with pytest.raises(SourceError, match="isn't followed") as caught:
            read(hostile, ref=secret)
        assert caught.value.remedy
        assert "hunter2" not in str(caught.value)

    repository.commit({"a.py": CODE})
    repository.git("worktree", "add", "--quiet", str(tmp_path / "second"))
    with pytest.raises(SourceError, match="Name the repository that it belongs to"):
        read(tmp_path / "second")

    leak = Repository(tmp_path / "head-is-a-link")
    (tmp_path / "passwd").write_text("hunter2\n")
    (leak.folder / ".git/HEAD").unlink()
    (leak.folder / ".git/HEAD").symlink_to(tmp_path / "passwd")
    with pytest.raises(RepoTuneError) as caught_other:
        read(leak.folder)
    assert "hunter2" not in str(caught_other.value)


def test_links_and_submodules_are_recorded_and_never_followed(
    repository: Repository, read: Ingest, tmp_path: Path
) -> None:
    (tmp_path / "outside.py").write_text("secret = 1\n")
    repository.write({"a.py": CODE, ".gitmodules": '[submodule "m"]\n\turl = ext::touch x\n'})
    (repository.folder / "link.py").symlink_to(tmp_path / "outside.py")
    repository.git("add", "--all")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},modules/m")
    repository.git("commit", "--quiet", "-m", "links")
    reasons = {entry.path: entry.reason for entry in read(repository.folder).ledger}
    assert reasons.pop(".gitmodules")
    assert reasons == {
        "a.py": "",
        "link.py": "symlink",
        "modules/m": "submodule",
    }


def test_strange_names_are_kept_as_they_are(repository: Repository, read: Ingest) -> None:
    names = {
        b"line\nbreak.py": CODE.encode(),
        b"-rf.py": CODE.encode(),
        b" blank .py": CODE.encode(),
        b"Case.py": CODE.encode(),
        b"case.py": CODE.encode(),
        "caf\u00e9.py".encode(): CODE.encode(),
        "cafe\u0301.py".encode(): CODE.encode(),
        "\u202eyp.py".encode(): CODE.encode(),
        b"caf\xe9.py": CODE.encode(),
        b"caf\\xe9.py": CODE.encode(),
        b"$(id).py": CODE.encode(),
        b"d" * 255 + b".py": CODE.encode(),
    }
    repository.put_commit(repository.put_files(names))
    snapshot = read(repository.folder)
    assert {file.path.encode() for file in snapshot.files} == set(names) - {b"caf\xe9.py"}
    dropped = [(entry.path, entry.reason) for entry in snapshot.ledger if entry.reason]
    assert dropped == [("caf\\xe9.py\\", "path_not_utf8")]


def test_a_deep_tree_is_read(repository: Repository, read: Ingest) -> None:
    tree = repository.put_files({b"leaf.py": CODE.encode()})
    for _ in range(500):
        tree = repository.put_tree([("40000", b"abcdefg", tree)])
    repository.put_commit(tree)
    [file] = read(repository.folder).files
    assert file.path == "abcdefg/" * 500 + "leaf.py"


def test_a_tree_bomb_is_refused_quickly(repository: Repository, read: Ingest) -> None:
    blob = repository.put("blob", CODE.encode())
    tree = repository.put_tree([("100644", b"f%02d.py" % n, blob) for n in range(10)])
    for _ in range(9):
        tree = repository.put_tree([("40000", b"d%02d" % n, tree) for n in range(10)])
    repository.put_commit(tree)
    begun = time.monotonic()
    with pytest.raises(SourceError, match="more than 500,000 paths"):
        read(repository.folder)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("name", [b"..", b".", b".git", b".GIT"])
def test_a_tree_that_git_would_not_check_out_is_refused(
    name: bytes, repository: Repository, read: Ingest
) -> None:
    inner = repository.put_files({b"config": b"[core]\n", b"a.py": CODE.encode()})
    repository.put_commit(repository.put_tree([("40000", name, inner)]))
    with pytest.raises(SourceError, match="no git would check out"):
        read(repository.folder)


def test_a_tree_with_one_name_twice_is_refused(repository: Repository, read: Ingest) -> None:
    blob = repository.put("blob", CODE.encode())
    repository.put_commit(repository.put_tree([("100644", b"a.py", blob)] * 2))
    with pytest.raises(SourceError, match="twice"):
        read(repository.folder)


def test_missing_and_damaged_blobs_drop_their_file_alone(
    repository: Repository, read: Ingest
) -> None:
    repository.commit({"a.py": CODE, "gone.py": "gone = 1\n", "bad.py": "bad = 1\n"})
    objects = repository.folder / ".git" / "objects"
    for name in ("gone.py", "bad.py"):
        blob = repository.git("rev-parse", f"HEAD:{name}")
        path = objects / blob[:2] / blob[2:]
        path.chmod(0o644)
        if name == "gone.py":
            path.unlink()
        else:
            other = repository.put("blob", b"evil = 1")
            path.write_bytes((objects / other[:2] / other[2:]).read_bytes())
    snapshot = read(repository.folder)
    assert {entry.path: entry.reason for entry in snapshot.ledger} == {
        "a.py": "",
        "bad.py": "missing_blob",
        "gone.py": "missing_blob",
    }


def test_a_truncated_pack_is_one_clear_error(repository: Repository, read: Ingest) -> None:
    repository.commit({f"m{n}.py": f"{os.urandom(200).hex()!r}\n" for n in range(50)})
    repository.git("gc", "--quiet")
    [pack] = (repository.folder / ".git" / "objects" / "pack").glob("*.pack")
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[: pack.stat().st_size // 2])
    with pytest.raises(SourceError) as caught:
        read(repository.folder)
    assert str(repository.folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_huge_lines_and_nesting_take_no_time(repository: Repository, read: Ingest) -> None:
    long_line = b"x = '" + b"a" * 10_000_000 + b"'\n"
    repository.put_commit(
        repository.put_files(
            {b"a.py": CODE.encode(), b"line.py": long_line, b"nest.js": b"[" * 100_000}
        )
    )
    begun = time.monotonic()
    snapshot = read(repository.folder, max_file_bytes=20_000_000)
    assert time.monotonic() - begun < 10
    assert {entry.path: entry.reason for entry in snapshot.ledger} == {
        "a.py": "",
        "line.py": "minified",
        "nest.js": "minified",
    }
