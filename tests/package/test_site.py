"""The built documentation: its links, and its pages in a browser.

SKXENT_SITE names the folder of a site that Sphinx has built; without it the tests of the site are
skipped. The tests in a browser need Chromium, in Debian the package ``chromium``.
"""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlencode, urlsplit

import browser
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
needs_chromium = pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed")
# Each page is loaded in the first theme, and brought to the second by its own switch.
VIEWS = {
    "phone": {"width": 390, "themes": ["light", "dark"]},
    "desk": {"width": 1400, "themes": ["dark", "light"]},
}
# What somebody types into the search box, and the page that has the answer.
QUERIES = {
    "50 GB": "large_data.html",
    "better calibrated": "decomposition.html",
    "class weights": "classifier.html",
    "elastic net": "coming_from.html",
    "float32": "large_data.html",
    "GPU": "array_api.html",
    "NaN": "errors.html",
    "odds ratio": "inference.html",
    "one-hot": "learn/targets.html",
    "perplexity": "tokens.html",
    "separable": "classifier.html",
    "sigmoid": "learn/softmax.html",
}
LEAST_LETTERS = 9  # pixels


@pytest.fixture(scope="module")
def site():
    """Folder of the built site."""
    if "SKXENT_SITE" not in os.environ:
        pytest.skip("SKXENT_SITE does not name the folder of a built site")
    return Path(os.environ["SKXENT_SITE"]).resolve(strict=True)


def pages(site):
    """Addresses of all pages of the site, without the parts of the theme that are no pages."""
    found = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return [page for page in found if not page.startswith("_")]


class Page(HTMLParser):
    """The addresses that a page refers to, and the places in it to which others may refer."""

    def __init__(self, path):
        super().__init__()
        self.addresses, self.places = set(), {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.places |= {attrs[name] for name in ("id", "name") if attrs.get(name)}
        self.addresses |= {attrs[name] for name in ("href", "src") if attrs.get(name)}


def broken_links(site):
    """Pairs of a page and an address in it that leads nowhere within the site."""
    read = cache(Page)
    found = []
    for page in pages(site):
        path = site / page
        for address in sorted(read(path).addresses):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            places = read(target).places if target.suffix == ".html" and target.is_file() else None
            if not target.is_file() or (places and unquote(parts.fragment) not in places):
                found.append((page, address))
    return found


def faults(report):
    """What is wrong with one page in one view, as a list of texts."""
    if "error" in report:
        return [report["error"]]
    found = []
    if report["status"] != 200 or not report["heading"]:
        found.append(f"no page: status {report['status']}, heading {report['heading']!r}")
    if report["theme_shown"] != report["theme"]:
        found.append(f"is shown in the theme {report['theme_shown']}")
    if report["overflow"] > 0 or report["wide"]:
        found.append(f"is wider than the window: {report['overflow']} px, {report['wide']}")
    if report["broken_images"]:
        found.append(f"images that did not load: {report['broken_images']}")
    if report["elsewhere"]:
        found.append(f"asks other hosts for {report['elsewhere']}")
    if len(report["pictures"]) != report["figures"] or any(w < 200 for w in report["pictures"]):
        found.append(f"{report['figures']} pictures, of the widths {report['pictures']}")
    if small := [size for size in report["letters"] if size < LEAST_LETTERS]:
        found.append(f"{len(small)} letters in pictures, from {min(small):.1f} px")
    if shrunk := [scale for scale in report["shrunk"] if scale < 0.6]:
        found.append(f"pictures shrunk to {shrunk} of their size")
    if report["faint"]:
        found.append(f"texts of little contrast: {report['faint'][:5]}")
    if marks := [mark for mark in ("<BLANKLINE>", "doctest:") if mark in report["text"]]:
        found.append(f"shows marks of doctests: {marks}")
    if copied := [text for text in report["copies"] if not text.strip() or ">>>" in text]:
        found.append(f"copies something else than code: {copied}")
    return [f"{report['page']} ({report['width']} px, {report['theme']}) {text}" for text in found]


@pytest.fixture(scope="module")
def seen(site):
    """What two browsers side by side see of each page, and the phone's also of the searches."""
    views = {
        name: [{"page": page, "copy": True, **view} for page in pages(site)]
        for name, view in VIEWS.items()
    }
    for query in QUERIES:
        page = f"search.html?{urlencode({'q': query})}"
        views["phone"].append({"page": page, "query": query, **VIEWS["phone"]})
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda name: browser.look_at(site, views[name]), views)
    return dict(zip(views, found, strict=True))


def test_links_lead_somewhere(site):
    assert len(pages(site)) > 50
    assert not broken_links(site)


def test_the_start_page_has_a_picture_code_and_cards(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    assert "python -m pip install ." in re.sub("<[^>]*>", "", text)
    assert text.count("<figure") == 1 and "<svg" in text
    assert text.count("sd-card-title") == 4
    top = text[text.index("navbar-header-items") :].split("</ul>")[0]
    names = ("Start", "Learn", "Guide", "Examples", "Reference")
    places = [top.find(f"\n    {name}\n") for name in names]
    assert min(places) > 0 and places == sorted(places)


def test_every_example_has_a_card_with_a_picture_of_its_own(site):
    cards = (site / "examples.html").read_text(encoding="utf-8")
    named = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert {name for name in named if f"auto_examples/{name}.html" in cards} == named
    images = {name: list((site / "_images").glob(f"sphx_glr_{name}_thumb.*")) for name in named}
    contents = [path.read_bytes() for found in images.values() for path in found]
    assert {name for name, found in images.items() if len(found) != 1} == set()
    assert len(set(contents)) == len(contents)


def test_llms_txt_lists_the_pages(site):
    text = (site / "llms.txt").read_text(encoding="utf-8")
    listed = re.findall(r"^- \[[^]]+\]\(([^)]+)\)", text, flags=re.MULTILINE)
    assert len(set(listed)) == len(listed)
    others = {"genindex.html", "index.html", "search.html"}
    assert set(pages(site)) - set(listed) <= others
    assert [address for address in listed if not (site / address).is_file()] == []


def test_the_reference_shows_no_private_names_and_draws(site):
    folder = site / "reference" / "generated"
    texts = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}
    signatures = [
        (name, re.sub("<[^>]*>", "", signature))
        for name, text in texts.items()
        for signature in re.findall(r'<dt class="sig sig-object py".*?</dt>', text, re.DOTALL)
    ]
    assert len(signatures) > 100
    private = re.compile(r"[(,]\s*_\w|&lt;function")
    assert [name for name, signature in signatures if private.search(signature)] == []
    displays = {name for name in texts if name.endswith("Display")}
    assert len(displays) == 7
    assert {name for name in displays if 'role="img"' in texts[name]} == displays


def test_names_of_scikit_learn_are_links(site):
    text = (site / "coming_from.html").read_text(encoding="utf-8")
    page = "https://scikit-learn.org/stable/modules/generated/sklearn.linear_model.LogisticRegression.html"
    assert f'href="{page}"' in text


@needs_chromium
@pytest.mark.parametrize("view", VIEWS)
def test_pages_in_a_browser(site, seen, view):
    """Each page in both themes: nothing is missing, too wide, too small or too faint."""
    reports, console, missing = seen[view]
    assert [text for report in reports for text in faults(report)] == []
    shown = {(report["page"], report["theme"]) for report in reports}
    assert shown >= {(page, theme) for page in pages(site) for theme in ("light", "dark")}
    assert sum(len(report["copies"]) for report in reports) > 100
    assert sum(len(report["letters"]) for report in reports) > 500
    assert sum(len(report["shrunk"]) for report in reports) > 50
    assert sum(report["texts"] for report in reports) > 50_000
    # The theme says on the console which theme it shows.
    assert [text for text in console if not text.startswith('"[PST]: ')] == []
    assert missing == []


@needs_chromium
@pytest.mark.parametrize("query", QUERIES)
def test_the_search_finds_the_page(seen, query):
    """The page is among the first three results, or their places in it are."""
    (report, _) = [report for report in seen["phone"][0] if report.get("query") == query]
    found = [address.split("#")[0].split("?")[0] for address in report["results"]]
    assert QUERIES[query] in found[:3]


BROKEN = """<!doctype html><html data-theme="light"><body><article class="bd-article">
<h1>Broken</h1>
<p style="width:600px">wide</p><img src="none.png"><a href="none.html">none</a><a href="#no">no</a>
<p>&lt;BLANKLINE&gt; <span style="color:#999">faint</span></p>
<figure class="picture"><svg width="100" height="50"><text y="20" font-size="8">g</text></svg>
</figure><figure class="picture"><svg width="300" style="display:none"></svg></figure>
<script>undefined_function()</script>
<script src="https://example.org/script.js"></script></article></body></html>"""


def test_broken_links_would_be_found(tmp_path):
    (tmp_path / "page.html").write_text(BROKEN, encoding="utf-8")
    assert [address for _, address in broken_links(tmp_path)] == ["#no", "none.html", "none.png"]


@needs_chromium
def test_a_broken_page_would_be_found(tmp_path):
    (tmp_path / "page.html").write_text(BROKEN, encoding="utf-8")
    views = [{"page": "page.html", **view} for view in VIEWS.values()]
    (phone, switched, desk, _), console, missing = browser.look_at(tmp_path, views)
    assert len(faults(phone)) == 7
    assert "wider than the window" in faults(phone)[0]
    assert "asks other hosts for ['https://example.org/script.js']" in faults(phone)[2]
    assert "1 letters in pictures, from 8.0 px" in faults(phone)[4]
    assert "is shown in the theme light" in faults(switched)[0]
    assert "is shown in the theme light" in faults(desk)[0]
    assert any("undefined_function is not defined" in text for text in console)
    assert missing == ["/none.png"] * len(missing) != []
