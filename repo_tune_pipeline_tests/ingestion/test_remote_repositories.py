"""A git URL is mirrored: one commit, no history, nothing but https and ssh."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from repo_tune_pipeline.errors import EmptyInputError, SourceError
from repo_tune_pipeline.ingestion import head_commit
from repo_tune_pipeline.settings import IngestionSettings
from repo_tune_pipeline_tests.ingestion.conftest import TRUSTED, Ingest
from repo_tune_pipeline_tests.ingestion.repositories import Repository
from repo_tune_pipeline_tests.ingestion.server import GitServer

CODE = "x = 1\n"


def _served(repository: Repository) -> str:
    return f"ssh://git@host.test{repository.folder}"


def test_a_mirror_follows_new_commits_and_rewritten_branches(
    repository: Repository, read: Ingest, mirrors: Path, fake_ssh: Path
) -> None:
    source = _served(repository)
    first = repository.commit({"a.py": CODE, "web/b.js": "let b = 1;\n"})
    repository.git("tag", "--annotate", "v1", "-m", "one")
    snapshot = read(source)
    assert (snapshot.commit, snapshot.repo, snapshot.notice) == (first, "work/shop", "")
    assert [file.path for file in snapshot.files] == ["a.py", "web/b.js"]
    assert (mirrors / "work" / "shop.git" / "HEAD").is_file()

    calls = (fake_ssh / "calls").read_text().count("\n")
    assert read(source) == snapshot
    assert (fake_ssh / "calls").read_text().count("\n") == calls + 1, "only ls-remote asked"

    second = repository.commit({"a.py": "x = 2\n"})
    assert head_commit(source, settings=IngestionSettings.model_validate(TRUSTED)) == second
    assert read(source).files[0].text == "x = 2\n"

    repository.git("reset", "--quiet", "--hard", first)
    rewritten = repository.commit({"c.py": "x = 3\n"}, "rewritten")
    assert read(source).commit == rewritten
    assert read(source, ref="v1").files == snapshot.files
    assert read(source, ref=second).commit == second
    with pytest.raises(SourceError, match="no branch or tag nowhere"):
        read(source, ref="nowhere")


def test_git_never_sees_the_users_settings_nor_asks_anything(
    repository: Repository,
    read: Ingest,
    fake_ssh: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit = repository.commit({"a.py": CODE})
    marker = tmp_path / "it-ran"
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f'[core]\n\tsshCommand = touch {marker}\n\tbare = "what"\n')
    for key, value in {
        "HOME": str(home),
        "GIT_SSH_COMMAND": f"touch {marker}",
        "GIT_DIR": str(tmp_path),
        "GIT_OBJECT_DIRECTORY": str(tmp_path),
        "GIT_EXTERNAL_DIFF": f"touch {marker}",
        "GIT_TRACE": str(marker),
    }.items():
        monkeypatch.setenv(key, value)
    assert read(_served(repository)).commit == commit
    assert read(repository.folder).commit == commit
    assert not marker.exists()
    assert "BatchMode=yes" in (fake_ssh / "calls").read_text()


def test_an_empty_or_absent_remote_says_so(
    repository: Repository, read: Ingest, fake_ssh: Path, tmp_path: Path
) -> None:
    with pytest.raises(EmptyInputError, match="has no commit at its HEAD"):
        read(_served(repository))
    with pytest.raises(
        SourceError, match=r"can't be read: .*does not appear to be a git"
    ) as caught:
        read(f"ssh://git@host.test{tmp_path}/nothing")
    assert caught.value.exit_code == 2


def test_a_slow_server_is_given_up_and_leaves_nothing_that_breaks_the_next_run(
    repository: Repository, read: Ingest, mirrors: Path, fake_ssh: Path
) -> None:
    commit = repository.commit({"a.py": CODE})
    (fake_ssh / "slow").touch()
    begun = time.monotonic()
    with pytest.raises(SourceError, match="wasn't read within 1 seconds"):
        read(_served(repository), ref=commit, timeout_seconds=1)
    assert time.monotonic() - begun < 10
    _assert_ends(int((fake_ssh / "pid").read_text()))
    (mirrors / "work" / "shop.git" / "shallow.lock").touch()  # as a killed git leaves it
    (fake_ssh / "slow").unlink()
    assert read(_served(repository)).commit == commit


def test_ctrl_c_ends_git_and_the_next_run_works(
    repository: Repository, read: Ingest, mirrors: Path, fake_ssh: Path
) -> None:
    commit = repository.commit({"a.py": CODE})
    (fake_ssh / "slow").touch()
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from repo_tune_pipeline.ingestion import ingest\n"
        "from repo_tune_pipeline.settings import IngestionSettings\n"
        "settings = IngestionSettings(allow_ssh=True, private_hosts=('host.test',))\n"
        "ingest(sys.argv[1], ref=sys.argv[2], settings=settings,"
        " mirrors=Path(sys.argv[3]))\n"
    )
    arguments = [_served(repository), commit, str(mirrors)]
    child = subprocess.Popen([sys.executable, "-c", program, *arguments], stderr=subprocess.PIPE)
    _wait_for(fake_ssh / "pid")
    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate(timeout=20)
    assert b"KeyboardInterrupt" in stderr
    _assert_ends(int((fake_ssh / "pid").read_text()))
    (fake_ssh / "slow").unlink()
    assert read(_served(repository)).commit == commit


def test_a_token_reaches_the_server_and_nothing_else(
    repository: Repository,
    read: Ingest,
    https_server: GitServer,
    mirrors: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit = repository.commit({"a.py": CODE})
    served = https_server.root / "team" / "shop.git"
    repository.git("clone", "--quiet", "--bare", "--no-local", ".", str(served))
    log = _log_arguments_of_git(tmp_path, monkeypatch)

    source = f"https://someone:s3cret@localhost:{https_server.port}/team/shop.git"
    snapshot = read(source)

    assert snapshot.commit == commit
    assert "s3cret" not in repr(snapshot)
    assert snapshot.source == f"https://localhost:{https_server.port}/team/shop.git"
    assert {authorization for _, authorization in https_server.requests} == {
        "Basic c29tZW9uZTpzM2NyZXQ="
    }
    assert "fetch" in log.read_text()
    everywhere = log.read_bytes() + b"".join(
        path.read_bytes() for path in mirrors.rglob("*") if path.is_file()
    )
    for secret in (b"s3cret", b"c29tZW9uZTpzM2NyZXQ"):
        assert secret not in everywhere

    with pytest.raises(SourceError) as caught:
        read(source.replace("shop.git", "other.git"))
    assert "s3cret" not in str(caught.value)

    https_server.requests.clear()
    https_server.redirect = f"https://127.0.0.1:{https_server.port}/elsewhere"
    with pytest.raises(SourceError):
        read(source)
    assert len(https_server.requests) == 1, "a token isn't carried along a redirect"


def _log_arguments_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder, log = tmp_path / "logging-bin", tmp_path / "arguments"
    folder.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, text=True).stdout.strip()
    program = folder / "git"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {log}\nexec {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return log


def _wait_for(path: Path) -> None:
    end = time.monotonic() + 20
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.05)


def _assert_ends(pid: int) -> None:
    end = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists():
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z":
            return
        assert time.monotonic() < end, f"process {pid} is still there"
        time.sleep(0.05)
