"""The environment of a git process: nothing of the user's git configuration, nothing that asks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from repo_tune_pipeline.ingestion.commands import ssh_command

_INHERITED = ("HOME", "USER", "LOGNAME", "TMPDIR", "SSH_AUTH_SOCK")
_PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")

_CONFIG = {
    "core.askPass": "",
    "core.bigFileThreshold": "4m",
    "core.attributesFile": os.devnull,
    "core.commitGraph": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.quotePath": "false",
    "credential.helper": "",
    "log.showSignature": "false",
    "mailmap.file": os.devnull,
    "transfer.bundleURI": "false",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "protocol.ssh.allow": "always",
    "http.lowSpeedLimit": "100",
    "http.lowSpeedTime": "60",
}


def search_path() -> str:
    """PATH without relative entries: a program of the current folder must not be found."""
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if entry.startswith("/"))


def git_environment(
    objects: Path | None, config: Mapping[str, str], ssh_options: Sequence[str] = ()
) -> dict[str, str]:
    """All that a git process of ours inherits.

    Args:
        objects: read objects from this folder in place of the git directory's own.
        config: more configuration; it may hold credentials, which so reach no argument list.
        ssh_options: for the ssh that git starts.
    """
    inherited = {key: os.environ[key] for key in _INHERITED + _PROXIES if key in os.environ}
    environment = inherited | {
        "PATH": search_path(),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ALLOW_PROTOCOL": "https:ssh",
        "GIT_SSH_COMMAND": ssh_command(ssh_options),
        "GIT_SSH_VARIANT": "ssh",
    }
    if objects is not None:
        environment["GIT_OBJECT_DIRECTORY"] = str(objects)
    settings = _CONFIG | dict(config)
    if authorities := os.environ.get("SSL_CERT_FILE"):
        settings = {"http.sslCAInfo": authorities} | settings
    environment["GIT_CONFIG_COUNT"] = str(len(settings))
    for number, (key, value) in enumerate(settings.items()):
        environment[f"GIT_CONFIG_KEY_{number}"] = key
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment
