"""`python -m docs.offline FOLDER`: looks at every file of a built site, and fails if reading it would need a network.

Pages, styles, scripts and drawings may load from the site only; links (`<a>`) may lead anywhere, but those into the
site must arrive: at a file that is there, and at a place in it that has that name.
"""

import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

LOADS: Final = {"src", "srcset", "poster", "data", "xlink:href"}
"""Attributes that load what they name, on any element; `href` does on any but a link."""
STYLE_LOADS: Final = re.compile(r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""")
SCRIPT_LOADS: Final = re.compile(r"""["'`]((?:https?:|wss?:)?//[^"'`\s]+)""")
KINDS: Final = (".html", ".css", ".js", ".svg")
NAMESPACES: Final = "http://www.w3.org/"
"""What begins so names a language, and is never loaded."""


class Page(HTMLParser):
    """What is in a page.

    Attributes:
        loads: addresses that it loads.
        links: where its links lead.
        names: that places in it have.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self._in = tag
        for name, value in attrs:
            if value is None:
                continue
            if name in ("id", "name"):
                self.names.add(value)
            elif name == "href" and tag in ("a", "area"):
                self.links.append(value)
            elif name in LOADS or name == "href":
                self.loads += [each.split()[0] for each in value.split(",")] if name == "srcset" else [value]
            elif name == "style":
                self.loads += STYLE_LOADS.findall(value)
            elif name == "content" and "url=" in value:  # of a meta element that leads elsewhere
                self.links.append(value.partition("url=")[2])

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - whichever it is
        """An element ends."""
        self._in = ""

    def handle_data(self, data: str) -> None:
        """Text."""
        if self._in == "style":
            self.loads += STYLE_LOADS.findall(data)
        elif self._in == "script":
            self.loads += SCRIPT_LOADS.findall(data)


def problems(site: Path) -> list[str]:
    """One line for each thing that is wrong with the site in this folder."""
    texts = {path: path.read_text(encoding="utf-8") for kind in KINDS for path in sorted(site.rglob(f"*{kind}"))}
    pages = {path: Page(text) for path, text in texts.items() if path.suffix == ".html"}
    names = {os.path.normpath(path): page.names for path, page in pages.items()}
    found = [] if pages else [f"{site} has no pages: build it first"]
    for path, text in texts.items():
        found += [f"{path} loads {load}" for load in _loads(path, text, pages) if not _is_here(path, load)]
    for path, page in pages.items():
        found += [f"{path} links to {link}: nothing is there" for link in page.links if not _arrives(names, path, link)]
    return found


def _loads(path: Path, text: str, pages: dict[Path, Page]) -> list[str]:
    match path.suffix:
        case ".html":
            return pages[path].loads
        case ".js":
            return SCRIPT_LOADS.findall(text)
        case ".svg":
            return STYLE_LOADS.findall(text) + Page(text).loads
    return STYLE_LOADS.findall(text)


def _is_here(path: Path, load: str) -> bool:
    """Whether a file gets this without a network."""
    if load.startswith(("data:", "#", NAMESPACES)):
        return True
    parts = urlsplit(load)
    return not parts.scheme and not parts.netloc and (path.parent / unquote(parts.path)).exists()


def _arrives(names: dict[str, set[str]], path: Path, link: str) -> bool:
    """Whether a link leads somewhere, as far as that can be seen here."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = os.path.normpath(path.parent / unquote(parts.path)) if parts.path else os.path.normpath(path)
    if target in names:
        return not parts.fragment or unquote(parts.fragment) in names[target]
    return Path(target).exists()


def main(arguments: list[str]) -> int:
    """0 if nothing is wrong, 1 otherwise."""
    found = problems(Path(arguments[0]))
    for line in found:
        print(line, file=sys.stderr)  # noqa: T201 - a command prints
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
