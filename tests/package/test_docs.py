"""Every example in the README and in the pages of docs/ runs and gives what is written there."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MADE = {"_build", "auto_examples", "generated"}  # folders that a build of the documentation writes
PAGES = [
    ROOT / "README.md",
    *(
        page
        for page in sorted((ROOT / "docs").rglob("*.md"))
        if not MADE & set(page.relative_to(ROOT).parts)
    ),
]
SLOW = {"docs/calibrate.md"}  # fits more than a thousand trees
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FENCE = re.compile(r"^ *(?:```|~~~).*$", flags=re.MULTILINE)


def examples(page):
    """The examples of one page; a fence ends the output above it and keeps its line's number."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)


def page_and_speed(page):
    """The page as a parameter; its name, and the mark of a page that takes many seconds."""
    name = page.relative_to(ROOT).as_posix()
    return pytest.param(page, id=name, marks=[pytest.mark.slow] if name in SLOW else [])


@pytest.mark.parametrize("page", [page_and_speed(page) for page in PAGES])
def test_examples_of_page(page):
    report = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    runner.run(examples(page), out=report.append)
    assert not report, "".join(report)


def test_a_wrong_example_would_be_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\n>>> 1 + 1\n3\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"Expected:\s+3\s+Got:\s+2"):
        test_examples_of_page(page)


TEXTS = [*PAGES, *ROOT.glob("examples/*.py"), *ROOT.glob("skxent/**/*.py")]


def test_pages_of_folders_are_found():
    folders = {page.parent.name for page in PAGES}
    assert {"docs", "learn", "guide", "reference"} <= folders


def test_the_gallery_names_every_example_twice():
    """Once for its card, and once for its place in the navigation."""
    page = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    cards = re.findall(r"^ +\.\./examples/(\w+)\.py$", page, flags=re.MULTILINE)
    places = re.findall(r"^auto_examples/(\w+)$", page, flags=re.MULTILINE)
    assert cards == places
    assert sorted(cards) == sorted(path.stem for path in (ROOT / "examples").glob("*.py"))


def test_the_guide_and_a_page_of_it_name_every_example():
    guide = ROOT / "docs" / "guide" / "index.md"
    others = [page for page in PAGES if page != guide and page.name not in ("examples.md",)]
    texts = "\n".join(page.read_text(encoding="utf-8") for page in others)
    for text in (guide.read_text(encoding="utf-8"), texts):
        named = set(re.findall(r"auto_examples/(\w+)", text))
        assert {path.stem for path in (ROOT / "examples").glob("*.py")} <= named


def test_links_of_the_readme_lead_to_files():
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert "docs/_static/passes.svg" in links and len(links) > 10
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_extras_are_named_as_they_install():
    """The package is on no index: an extra installs from the source tree only, as ".[plot]"."""
    assert len(TEXTS) > 100
    wrong = [path.name for path in TEXTS if re.search(r"skxent\[\w", path.read_text("utf-8"))]
    assert not wrong
