"""What `make docs` refuses: each fault is planted in a site of two pages."""

from pathlib import Path

import pytest

from docs.offline import main, problems

GOOD = """<!DOCTYPE html><html><head><link rel="stylesheet" href="a.css"><script src="a.js"></script>
<style>p { background: url("data:image/png;base64,AA") }</style></head>
<body><h1 id="top">A</h1><svg xmlns="http://www.w3.org/2000/svg"></svg>
<a href="https://example.org/">out</a> <a href="b.html#here">in</a> <a href="#top">up</a> %s</body></html>"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "a.html").write_text(GOOD % "", encoding="utf-8")
    (tmp_path / "b.html").write_text('<p id="here">b</p>', encoding="utf-8")
    (tmp_path / "a.css").write_text("/* https://example.org */ p { color: red }", encoding="utf-8")
    (tmp_path / "a.js").write_text('// https://example.org\nfetch("b.html")', encoding="utf-8")
    return tmp_path


def test_a_site_that_needs_nothing_from_elsewhere_is_fine(site: Path) -> None:
    assert problems(site) == []
    assert main([str(site)]) == 0


@pytest.mark.parametrize(
    "planted",
    [
        '<script src="https://example.org/a.js"></script>',
        '<script src="//example.org/a.js"></script>',
        "<script>import('https://example.org/a.js')</script>",
        '<link rel="preconnect" href="https://fonts.example.org">',
        '<img src="http://example.org/a.png">',
        '<img srcset="c.css 1x, https://example.org/a.png 2x">',
        '<p style="background: url(https://example.org/a.png)">',
        "<style>@import 'https://example.org/a.css';</style>",
        '<svg><use xlink:href="https://example.org/a.svg#b"/></svg>',
        '<img src="missing.png">',
        '<a href="missing.html">in</a>',
        '<a href="b.html#nowhere">in</a>',
    ],
)
def test_a_page_that_loads_from_elsewhere_or_leads_nowhere_is_refused(site: Path, planted: str) -> None:
    (site / "a.html").write_text(GOOD % planted, encoding="utf-8")
    assert problems(site)
    assert main([str(site)]) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.css", '@import "https://example.org/a.css";'),
        ("a.css", "@font-face { src: url(https://example.org/a.woff2) }"),
        ("a.js", 'load("https://example.org/a.js")'),
        ("a.js", "const font = '//example.org/a.woff2'"),
        ("a.svg", '<svg><image href="https://example.org/a.png"/></svg>'),
    ],
)
def test_a_style_script_or_drawing_that_loads_from_elsewhere_is_refused(site: Path, name: str, text: str) -> None:
    (site / name).write_text(text, encoding="utf-8")
    assert len(problems(site)) == 1


def test_an_empty_folder_is_no_site(tmp_path: Path) -> None:
    assert problems(tmp_path) == [f"{tmp_path} has no pages: build it first"]
