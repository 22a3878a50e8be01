"""Rows 9 to 17 through `repo-tune ingest`: git repositories that are read, and what is not."""

from __future__ import annotations

import shutil
from functools import partial

import pytest

from repo_tune_pipeline_tests.ingestion.conftest import Case, Outcome
from repo_tune_pipeline_tests.ingestion.place import Place
from repo_tune_pipeline_tests.ingestion.ran import Ran, assert_offline, assert_taken
from repo_tune_pipeline_tests.ingestion.repositories import Repository, arm, marking_program

pytestmark = pytest.mark.slow

CODE = "x = 1\n"
MODULES = {
    "dash": "--upload-pack=evil",
    "helper": "ext::evil",
    "proxy": "ssh://-oProxyCommand=evil/y",
}
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 1\n"
ATTRIBUTES = "*.py filter=evil diff=evil merge=evil\nlfs.py filter=lfs diff=lfs merge=lfs\n"
SSH = {"allow_ssh": True, "private_hosts": ["host.test"]}


def _armed(place: Place) -> Ran:
    """Programs wherever git looks for them, and much that leads to other places."""
    shop = Repository(place.folder / "shop")
    program, marker = marking_program(place.folder)
    _commit_lures(shop, str(program), place.port)
    arm(shop, program)
    for name in ("filter.lfs.smudge", "filter.lfs.process"):
        shop.git("config", name, str(program))
    shop.git("config", "submodule.recurse", "true")
    shop.write({"a.py": "x = 2\n"})
    head = shop.git("rev-parse", "HEAD")
    for name in ("a\nb", "$(id)"):
        (shop.folder / ".git" / "refs" / "heads" / name).write_text(head + "\n")
    ran = place.ingest(shop.folder)
    shop.attempt("status")
    assert marker.exists(), "a plain git would have run it"
    return ran


def _commit_lures(shop: Repository, program: str, port: int) -> None:
    modules = "".join(
        f'[submodule "{name}"]\n\tpath = lib/{name}\n\turl = {url}\n\tupdate = !{program}\n'
        for name, url in MODULES.items()
    )
    shop.write({name: f"# {name}\n{CODE}" for name in ("gone.py", "damaged.py")})
    shop.write({"a.py": CODE, "lfs.py": POINTER, ".gitattributes": ATTRIBUTES})
    shop.write({".gitmodules": modules, ".lfsconfig": f"[lfs]\n\turl = http://127.0.0.1:{port}\n"})
    (shop.folder / "link.py").symlink_to(program)
    shop.git("add", "--all")
    for number, name in enumerate(MODULES, start=1):
        module = f"160000,{str(number) * 40},lib/{name}"
        shop.git("update-index", "--add", "--cacheinfo", module)
    shop.git("commit", "--quiet", "-m", "all")
    shop.object_file("HEAD:gone.py").unlink()
    other = shop.put("blob", b"evil = 1")
    shop.object_file("HEAD:damaged.py").write_bytes(shop.object_file(other).read_bytes())


def _promised(place: Place) -> Ran:
    """A partial clone, which git completes from its origin whenever it misses something."""
    origin = Repository(place.folder / "origin")
    origin.commit({"a.py": CODE, "gone.py": "gone = 1\n"})
    origin.git("config", "uploadpack.allowFilter", "true")
    folder = place.folder / "shop"
    url = f"file://{origin.folder}"
    origin.git("clone", "--quiet", "--filter=blob:none", "--no-checkout", url, str(folder))
    shop = Repository(folder)
    shop.git("cat-file", "blob", "HEAD:a.py")  # which fetches it
    program, marker = marking_program(place.folder)
    shop.git("config", "remote.origin.uploadpack", str(program))
    ran = place.ingest(folder, "--ref=main")
    shop.attempt("cat-file", "blob", "HEAD:gone.py")
    assert marker.exists(), "a plain git would have fetched it"
    return ran


def _named_like_a_command(place: Place) -> Ran:
    shop = Repository(place.folder / "shop")
    first = shop.commit({"a.py": CODE})
    shop.commit({"a.py": "x = 2\n"})
    place.program("evil", f"touch {place.folder}/it-ran")
    (shop.folder / ".git/refs/heads/$(evil)").write_text(first + "\n")
    return place.ingest(shop.folder, "--ref=$(evil)")


def _movable(place: Place) -> tuple[Repository, str]:
    """A repository of somebody else, and how its branch is rewritten, in arguments to git."""
    shop = Repository(place.folder.with_name(f"{place.folder.name}-served"))
    shop.commit({"a.py": CODE})
    shop.git("tag", "first")
    shop.write({"a.py": "other = 1\n"})
    shop.git("commit", "--quiet", "--all", "--amend", "-m", "another one")
    shop.git("tag", "other")
    shop.git("reset", "--quiet", "--hard", "first")
    return shop, f"--git-dir={shop.folder}/.git update-ref refs/heads/main refs/tags/other"


def _moved_while_listed(place: Place) -> Ran:
    """The branch of a local repository is rewritten when git is asked for the commit's files."""
    shop, move = _movable(place)
    real = shutil.which("git")
    moving = f"env -u GIT_OBJECT_DIRECTORY {real} {move}"
    place.program("git", f'case "$*" in *ls-tree*) {moving};; esac\nexec {real} "$@"')
    return place.ingest(shop.folder, "--ref=main")


def _moved_before(question: int, place: Place) -> Ran:
    """The branch of a served repository is rewritten before it is asked for the n-th time."""
    shop, move = _movable(place)
    count = shop.folder / "count"
    place.program(
        "ssh",
        f"echo 1 >> {count}\nif [ $(wc -l < {count}) = {question} ]; then git {move}; fi\n"
        'for last in "$@"; do :; done\nexec sh -c "$last"',
    )
    return place.ingest(f"ssh://git@host.test{shop.folder}", "--ref=main", settings=SSH)


DROPPED = {
    "row-11-submodules": ("submodule", [f"lib/{name}" for name in MODULES]),
    "row-12-lfs-pointer": ("lfs_pointer", ["lfs.py"]),
    "row-14-missing-and-damaged-blobs": ("missing_blob", ["damaged.py", "gone.py"]),
    "row-20-link-in-a-repository": ("symlink", ["link.py"]),
}
REWRITTEN: dict[str, tuple[Case, str]] = {
    "row-17-rewritten-while-listed": (_moved_while_listed, "first"),
    "row-17-rewritten-before-the-fetch": (partial(_moved_before, 3), "first"),
    "row-17-rewritten-before-the-reading": (partial(_moved_before, 2), "other"),
}
CASES: dict[str, Case] = {
    "armed": _armed,
    "row-14-promised-blob": _promised,
    "row-16-named-like-a-command": _named_like_a_command,
    **{row: case for row, (case, _) in REWRITTEN.items()},
}


@pytest.fixture(scope="module")
def armed(outcome: Outcome) -> Ran:
    ran = outcome("armed")
    assert_taken(ran)
    assert_offline(ran)
    return ran


@pytest.mark.parametrize("row", ["row-9-programs-in-the-settings", "row-16-newline-in-a-ref"])
def test_no_program_of_a_repository_runs_and_its_commit_is_read(row: str, armed: Ran) -> None:
    """Had the program run, its marker would lie outside of the home."""
    assert armed.files()["a.py"].text == CODE
    assert "1 file of the working folder differs" in armed.told["notice"]
    assert {"ls-tree", "cat-file"} <= armed.asked_of_git


@pytest.mark.parametrize("row", DROPPED)
def test_what_leads_elsewhere_is_dropped_with_its_reason(row: str, armed: Ran) -> None:
    wanted, paths = DROPPED[row]
    reasons = armed.reasons()
    assert [path for path, reason in reasons.items() if reason == wanted] == paths


@pytest.mark.parametrize("row", ["row-14-promised-blob"])
def test_a_blob_that_a_remote_promises_is_not_fetched(row: str, outcome: Outcome) -> None:
    ran = outcome(row)
    assert_taken(ran)
    assert_offline(ran)
    assert ran.reasons() == {"a.py": "", "gone.py": "missing_blob"}


@pytest.mark.parametrize("row", ["row-16-named-like-a-command"])
def test_a_branch_named_like_a_command_is_read_by_its_commit(row: str, outcome: Outcome) -> None:
    ran = outcome(row)
    assert_taken(ran)
    assert ran.files()["a.py"].text == CODE


@pytest.mark.parametrize("row", REWRITTEN)
def test_a_branch_that_is_rewritten_is_read_at_one_commit(row: str, outcome: Outcome) -> None:
    ran = outcome(row)
    assert_taken(ran)
    folder = ran.home.root.parent
    served, tag = Repository(folder.with_name(f"{folder.name}-served")), REWRITTEN[row][1]
    assert served.git("rev-parse", "main") == served.git("rev-parse", "other")
    assert ran.told["commit"] == served.git("rev-parse", tag)
    assert ran.files()["a.py"].text == served.git("show", f"{tag}:a.py") + "\n"
    assert f"at {ran.told['commit'][:12]}: " in ran.err
