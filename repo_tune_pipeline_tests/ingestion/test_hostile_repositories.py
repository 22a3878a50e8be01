"""Repositories made to harm: nothing of theirs runs, is followed or fills the machine."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from repo_tune_pipeline.errors import RepoTuneError, SourceError
from repo_tune_pipeline_tests.ingestion.conftest import Ingest
from repo_tune_pipeline_tests.ingestion.repositories import (
    Repository,
    marking_program,
    put_bomb,
    put_files_bomb,
)

CODE = "x = 1\n"


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


def test_a_tree_bomb_is_refused_quickly(repository: Repository, read: Ingest) -> None:
    repository.put_commit(put_files_bomb(repository))
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
    inner = repository.put_files({b"b.py": CODE.encode()})
    twice = ("100644", b"a.py", blob)
    for rows in (
        [twice, twice],
        [twice, ("100644", b"a.py-", blob), ("40000", b"a.py", inner)],
        [("120000", b"a.py", blob), ("40000", b"a.py", inner)],
    ):
        repository.put_commit(repository.put_tree(rows))
        with pytest.raises(SourceError, match="twice"):
            read(repository.folder)


def test_a_folder_of_branches_and_a_folder_in_place_of_a_file_are_no_branch(
    repository: Repository, read: Ingest
) -> None:
    commit = repository.commit({"a.py": CODE})
    repository.git("branch", "feature/shop")
    (repository.folder / ".git" / "packed-refs").mkdir()
    assert read(repository.folder, ref="feature/shop").commit == commit
    with pytest.raises(SourceError, match="no branch, tag or commit feature"):
        read(repository.folder, ref="feature")


def test_a_bomb_of_empty_folders_is_refused_quickly(repository: Repository, read: Ingest) -> None:
    repository.put_commit(put_bomb(repository, repository.put_tree([])))
    begun = time.monotonic()
    with pytest.raises(SourceError, match="more than 500,000 paths"):
        read(repository.folder)
    assert time.monotonic() - begun < 10


def test_a_bomb_of_long_paths_is_refused_quickly(repository: Repository, read: Ingest) -> None:
    blob = repository.put("blob", CODE.encode())
    tree = repository.put_tree([("100644", b"%05d.py" % n, blob) for n in range(20_000)])
    for number in range(16):
        tree = repository.put_tree([("40000", b"%02d" % number * 125, tree)])
    repository.put_commit(tree)
    with pytest.raises(SourceError, match="far too long"):
        read(repository.folder)
    repository.put_commit(repository.put_tree([("100644", b"n" * 4097, blob)]))
    with pytest.raises(SourceError, match="more than 4,096 bytes"):
        read(repository.folder)


def test_submodules_with_option_like_and_ext_urls_are_recorded_and_never_fetched(
    repository: Repository, read: Ingest, fake_ssh: Path, tmp_path: Path
) -> None:
    program, marker = marking_program(tmp_path)
    urls = {
        "a": f"--upload-pack={program}",
        "b": f"ext::{program}",
        "c": "ssh://-oProxyCommand=x/y",
    }
    listed = "".join(
        f'[submodule "{name}"]\n\tpath = modules/{name}\n\turl = {url}\n\tupdate = !{program}\n'
        for name, url in urls.items()
    )
    repository.write({"a.py": CODE, ".gitmodules": listed})
    repository.git("add", "--all")
    for number, name in enumerate(urls):
        oid = str(number + 1) * 40
        repository.git("update-index", "--add", "--cacheinfo", f"160000,{oid},modules/{name}")
    repository.git("commit", "--quiet", "-m", "modules")
    repository.git("config", "submodule.recurse", "true")
    for source in (str(repository.folder), f"ssh://git@host.test{repository.folder}"):
        reasons = {entry.path: entry.reason for entry in read(source).ledger}
        assert {path for path, reason in reasons.items() if reason == "submodule"} == {
            f"modules/{name}" for name in urls
        }
    calls = (fake_ssh / "calls").read_text().splitlines()
    assert all(str(repository.folder) in call for call in calls)
    assert not marker.exists()


def test_an_lfs_pointer_is_dropped_and_the_lfsconfigs_host_never_asked(
    repository: Repository, read: Ingest, fake_ssh: Path, tmp_path: Path, listener: socket.socket
) -> None:
    program, marker = marking_program(tmp_path)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/lfs"
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 1\n"
    files = {"a.py": CODE, "model.py": pointer, ".lfsconfig": f"[lfs]\n\turl = {url}\n"}
    repository.commit(files)
    repository.commit({".gitattributes": "model.py filter=lfs diff=lfs merge=lfs\n"})
    for key in ("filter.lfs.smudge", "filter.lfs.process", "lfs.url"):
        repository.git("config", key, url if key == "lfs.url" else str(program))
    for source in (str(repository.folder), f"ssh://git@host.test{repository.folder}"):
        snapshot = read(source)
        assert [file.path for file in snapshot.files] == ["a.py"]
        assert {e.path: e.reason for e in snapshot.ledger}["model.py"] == "lfs_pointer"
    assert not marker.exists()


@pytest.mark.parametrize("where", ["signature", "middle", "index"])
def test_a_corrupt_pack_is_refused_or_costs_the_files_that_it_hurts(
    where: str, repository: Repository, read: Ingest
) -> None:
    files = {f"m{n}.py": f"x = {os.urandom(200).hex()!r}\n" for n in range(50)}
    repository.commit(files)
    repository.git("gc", "--quiet")
    ending = "idx" if where == "index" else "pack"
    [pack] = (repository.folder / ".git" / "objects" / "pack").glob(f"*.{ending}")
    pack.chmod(0o644)
    data = bytearray(pack.read_bytes())
    at = len(data) // 2 if where == "middle" else 0
    data[at : at + 40] = bytes(40)
    pack.write_bytes(data)
    if where != "middle":
        with pytest.raises(SourceError):
            read(repository.folder)
        return
    with suppress(SourceError):
        snapshot = read(repository.folder)
        assert {file.path: file.text for file in snapshot.files}.items() < files.items()
        assert {e.reason for e in snapshot.ledger if e.reason} == {"missing_blob"}


def test_refs_with_a_newline_or_a_command_in_them_are_read_by_their_commits(
    repository: Repository, read: Ingest, fake_ssh: Path, tmp_path: Path
) -> None:
    first = repository.commit({"a.py": CODE})
    second = repository.commit({"a.py": "x = 2\n"})
    program, marker = marking_program(tmp_path)
    heads = repository.folder / ".git" / "refs" / "heads"
    for name in ("a\nb", "$(id)", "--output=x", f"$({program.name})"):
        (heads / name).write_text(first + "\n")
    with (repository.folder / ".git" / "packed-refs").open("a") as packed:
        packed.write(f"{first} refs/tags/`{program.name}`\n")
    for source in (f"ssh://git@host.test{repository.folder}", str(repository.folder)):
        assert read(source).commit == second
        assert read(source, ref=first).commit == first
        for ref in ("$(id)", f"$({program.name})"):
            assert read(source, ref=ref).commit == first
        for ref in ("a\nb", "--output=x", "x"):
            with pytest.raises(SourceError):
                read(source, ref=ref)
    with (repository.folder / ".git" / "packed-refs").open("a") as packed:
        packed.write("--output=x refs/tags/x\n")
    with pytest.raises(SourceError, match="no branch, tag or commit x"):
        read(repository.folder, ref="x")
    (repository.folder / ".git" / "HEAD").write_text("ref: refs/heads/a\nb\n")
    assert read(repository.folder, ref=second).commit == second
    for head in ("ref: refs/heads/a\nb", "--output=x", "ref: --output=x", "ref: ../../x"):
        (repository.folder / ".git" / "HEAD").write_text(head + "\n")
        with pytest.raises(SourceError, match="isn't understood"):
            read(repository.folder)
    assert not marker.exists()
