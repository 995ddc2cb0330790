"""How `make docs` makes a site of the Markdown in this repository: the root of the repository is Sphinx's source.

Every page reads as plain Markdown too. So what only the site has stands in a comment, `<!-- site: NAME ... -->`, and is
put in its place here, where each page is read: the contents, the Python API from its docstrings, the change log and
the grammar. Mermaid, which would need a script, gives way to the drawing beside it. Nothing is fetched when the site is
read: `tests/docs/test_site.py` looks at every link of a built one.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from sphinx.application import Sphinx

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

project = "udpchat"
root_doc = "docs/index"
include_patterns = ["docs/**.md", "spec/**.md", "cli/JSON.md", "README.md", "CONTRIBUTING.md", "SECURITY.md"]
exclude_patterns = [".*", "site", "tests", "**/__pycache__"]
templates_path = ["_templates"]
show_authors = False

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "docs.apidoc"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # docstrings and pages begin at the heading that suits them in the repository
default_role = "py:obj"  # `Name` in a docstring links to what has that name, and is code if nothing has
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_class_signature = "mixed"
autodoc_typehints_format = "short"
add_module_names = False
toc_object_entries_show_parents = "hide"
maximum_signature_line_length = 76

html_theme = "furo"
html_title = "udpchat"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_additional_pages = {"index": "start.html"}  # what a reader opens; it leads to docs/index.html
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}
highlight_language = "none"  # of a block that names none: layouts, lines of a terminal
pygments_style = "friendly"
pygments_dark_style = "github-dark"

CONTENTS: Final = {
    "Start": ("tutorial", "Chat in a terminal </README>"),
    "Protocol": (
        "Overview </spec/README>",
        "/spec/[01]*",
        "/spec/[a-z]*",
        "grammar",
        "/spec/vectors/README",
        "/spec/conformance/README",
    ),
    "Python": (
        "api/index",
        "api/core",
        "api/events",
        "api/requests",
        "api/messages",
        "api/limits",
        "api/net",
        "api/wire",
    ),
    "Simulation": ("api/simulation", "api/faults", "api/oracle", "api/evil"),
    "Command": ("/cli/JSON",),
    "Project": ("/SECURITY", "Contributing </CONTRIBUTING>", "changelog"),
}
"""The pages by heading, as the side bar has them."""

MERMAID: Final = re.compile(r"<details>\s*<summary>[^\n]*</summary>\s*```mermaid\n.*?\n```\s*</details>", re.DOTALL)
"""What has a drawing beside it. Any other is a language that Sphinx does not know, which ends the build."""
LINK: Final = re.compile(r"\[([^\]]*)\]\(([^)#:]+)\)")
COMMENT: Final = re.compile(r"<!-- site: (\w+) ?(.*?) -->")


def _contents(_: str) -> str:
    """The table of contents, for the side bar."""
    trees = []
    for heading, pages in CONTENTS.items():
        trees.append("\n".join(["```{toctree}", ":hidden:", ":glob:", f":caption: {heading}", "", *pages, "```"]))
    return "\n\n".join(trees)


def _api(modules: str) -> str:
    """What the docstrings of modules say, one after the other; `module:Name,Name` takes these names only."""
    parts = []
    for module in modules.split():
        name, _, names = module.partition(":")
        members = [f"   :members: {names}"] if names else []
        parts += [f"## {name}", "\n".join(["```{eval-rst}", f".. automodule:: {name}", *members, "```"])]
    return "\n\n".join(parts)


def _include(path: str) -> str:
    """A file of this repository, as it is."""
    return f"```{{literalinclude}} /{path}\n:language: {Path(path).suffix[1:]}\n:force:\n```"


def _changelog(_: str) -> str:
    """What is new since the last version, from the fragments in `changelog.d`."""
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "Not released yet", "--date", "-"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.replace(" (-)", "")


SITE: Final[Mapping[str, Callable[[str], str]]] = {
    "contents": _contents,
    "api": _api,
    "include": _include,
    "changelog": _changelog,
}


def _on_page(_: Sphinx, page: str, source: list[str]) -> None:
    """A page as the site has it: `source` has one item, its text."""

    def link(found: re.Match[str]) -> str:
        target = (ROOT / page).parent / found[2]  # the site has no folders, and source beside each name
        return found[1] if target.is_dir() or target.suffix == ".py" else found[0]

    text = LINK.sub(link, MERMAID.sub("", source[0]))
    source[0] = COMMENT.sub(lambda found: SITE[found[1]](found[2]), text)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _on_page)
