from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    outline_rows,
    reasons,
)

SHELL = """\
#!/usr/bin/env bash
# Deploys the shop.
set -euo pipefail

. ./lib/log.sh
source "$ROOT/lib/money.sh"
readonly REGION="eu"

# Puts one version where customers see it.
#
# $1: the version
# shellcheck disable=SC2034
deploy() {
  local version="$1" # not checked
  if [[ -z "$version" ]]; then
    log::fail "no version" >&2
    return 1
  fi
  # Older ones stay.
  for host in $(list-hosts "$REGION"); do
    ssh "$host" "upgrade $version" |
      tee log.txt
  done
  cat <<EOF | send_mail
deploy() {
  ${version}
}
EOF
  case "$version" in
    v*)
      tag "$version"
      ;;
    *) warn "no tag" && return ;;
  esac
}

function log::fail {
  echo "$*"
  exit 1
}

function in_root() (
  cd "$ROOT"
  "$@"
)

short() { :; }

test_deploy() {
  assertEquals 1 "$(deploy '')"
}

deploy "$@"
"""


def test_shell_definitions() -> None:
    chunked = cut({"deploy.sh": SHELL})
    assert outline_rows(chunked) == [
        ("function", "deploy", 9, 35, "deploy()"),
        ("function", "log::fail", 37, 40, "function log::fail"),
        ("function", "in_root", 42, 45, "function in_root()"),
        ("test", "test_deploy", 49, 51, "test_deploy()"),
    ]
    assert reasons(chunked) == {"short": "trivial"}


def test_shell_documentation_calls_imports_and_cuts() -> None:
    chunked = cut({"deploy.sh": SHELL})
    header = next(chunk for chunk in chunked.chunks if chunk.kind == "module")
    assert (header.docstring, header.start_line, header.end_line) == ("Deploys the shop.", 1, 7)
    deploy = cut_one("deploy.sh", SHELL)["deploy"]
    assert deploy.docstring == "Puts one version where customers see it.\n\n$1: the version"
    assert deploy.callees == (
        "cat",
        "list-hosts",
        "log::fail",
        "return",
        "send_mail",
        "ssh",
        "tag",
        "tee",
        "warn",
    )
    assert deploy.imports == ("$ROOT/lib/money.sh", "./lib/log.sh")
    assert cut_lines(deploy) == [
        'local version="$1" # not checked',
        'if [[ -z "$version" ]]; then',
        'log::fail "no version" >&2',
        "return 1",
        'for host in $(list-hosts "$REGION"); do',
        'ssh "$host" "upgrade $version" |',
        "cat <<EOF | send_mail",
        'case "$version" in',
        "v*)",
        'tag "$version"',
        '*) warn "no tag" && return ;;',
    ]


def test_characters_beyond_ascii_leave_the_places_of_everything() -> None:
    text = (
        "# Größe 数\nshow() {\n  echo '€ 😀'; say_it\n  echo {\U000fe29e..\U000fe29f}\n  größe\n}\n"
    )
    show = cut_one("show.sh", text)["show"]
    assert (show.docstring, show.start_line, show.end_line) == ("Größe 数", 1, 6)
    assert show.callees == ("echo", "größe", "say_it")
    assert cut_lines(show)[-1] == "größe"
