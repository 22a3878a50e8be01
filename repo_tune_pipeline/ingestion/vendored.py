"""Other people's code, by the folder it lies in or the name it goes by.

Most of the names are those of github-linguist/linguist, `lib/linguist/vendor.yml` (MIT). Some of
that list's rules are left out, since they hit too much of what people write themselves: `cache/`,
`env/` and `tools/`, `*.d.ts`, `controls.js`, `effects.js`.
"""

from __future__ import annotations

import re

_VERSION_CONTROL = frozenset((".bzr", ".git", ".hg", ".svn"))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FOLDERS = _words("""
    .eggs .google_apis .gradle .idea .nox .pnpm .pnpm-store .tox .venv .yarn __pycache__ _vendor
    _vendored 3rd-party 3rd_party 3rdparty ace-builds admin_media bootstrap-datepicker
    bower_components carthage dist dist-packages extjs godeps jspm_packages mathjax node_modules
    pods site-packages sparkle third-party third_party thirdparty vendor vendored vendors venv
    virtualenv
""")
_PATH = re.compile(
    r"(?:debian|dependencies|deps|extern|external|puphpet|tests?/fixtures|specs?/fixtures)/"
    r"|packages/.+\.\d+/"
    r"|(?:.*/)?(?:docs?/_?(?:build|themes?|templates?|static)|gradle/wrapper"
    r"|code-?mirror/(?:\d+\.\d+/)?(?:lib|mode|theme|addon|keymap|demo)"
    r"|tiny_mce/(?:langs|plugins|themes|utils))/"
)
_SCRIPT = re.compile(
    r"(?:angular[^.]*|bootstrap[^.]*|chart|ckeditor|control\.fullscreen|cordova[^.]*"
    r"|cordova-\d\.\d(?:\.\d)?|d3(?:\.v\d+)?[^.]*|dojo|dragdrop|foundation(?:\..*)?|fuelux"
    r"|html5shiv|jquery[^.]*|jquery-\d\.\d+(?:\.\d+)?|jquery-ui(?:-\d\.\d+(?:\.\d+)?)?(?:\.\w+)?"
    r"|jquery\.(?:ui|effects)\.[^.]*|jquery\.fn\.gantt|jquery\.fancybox"
    r"|jquery\.fileupload(?:-\w+)?|jquery[^.]*\.(?:validate(?:\.unobtrusive)?|unobtrusive-ajax)"
    r"|knockout-(?:\d+\.){2}\d+(?:\.debug)?|leaflet\.(?:draw-src|spin)"
    r"|leaflet\.coordinates-[\d.]+\.src|microsoft(?:mvc)?(?:ajax|validation)(?:\.debug)?|mochikit"
    r"|modernizr-\d\.\d+(?:\.\d+)?|modernizr\.custom\.\d+|mootools[^.]*\d+\.\d+.\d+[^.]*"
    r"|prototype.*|react(?:-[^.]*)?|shbrush[^.]*|shcore|shlegacy|slick\.\w+|tiny_mce[^.]*"
    r"|wicket-leaflet|yahoo-[^.]*|yui[^.]*|.*-vsdoc|.*\.intellisense)\.js"
)
_NAMES = _words("""
    .git activator config.guess config.sub configure cpplint.py depcomp erlang.mk gradlew
    install-sh libtool ltmain.sh mvnw rebar waf
""")


def is_version_control(path: str) -> bool:
    """Whether `path` is a part of what a version control system keeps for itself."""
    return not _VERSION_CONTROL.isdisjoint(path.lower().split("/"))


def is_vendored(path: str) -> bool:
    """Whether `path` lies in a folder, or goes by a name, of other people's code."""
    lowered = path.lower()
    *folders, name = lowered.split("/")
    if name in _NAMES or not _FOLDERS.isdisjoint(folders):
        return True
    if name.endswith(".js") and _SCRIPT.fullmatch(name):
        return True
    return bool(folders) and _PATH.match(lowered) is not None


def is_vendored_folder(name: str) -> bool:
    """Whether a folder of this name isn't worth entering."""
    return name.lower() in _FOLDERS or name.lower() in _VERSION_CONTROL
