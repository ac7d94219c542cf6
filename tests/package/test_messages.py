"""The page of errors and warnings is complete: it has every message that the code has."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/errors.md").read_text(encoding="utf-8")

sys.path.insert(0, str(ROOT / "docs/_ext"))
try:
    import messages
finally:
    sys.path.pop(0)

MESSAGES = messages.messages()
WARNINGS = [message for message in MESSAGES if message.kind == messages.WARNING]
ERRORS = [
    message for message in MESSAGES if message.kind not in (messages.WARNING, *messages.INTERNAL)
]
# Errors that scikit-learn or Python word so, and errors that mean a defect of skxent.
WITHOUT_CURE = {
    "a fit on a fold has the class …, which is not in classes_.",
    "fit requires y to be passed, but the target y is None.",
    "score requires y to be passed, but the target y is None.",
    "module 'skxent' has no attribute …",
    "… object has no attribute …",
    "…() got an unexpected keyword argument …",
    "the profile of a coefficient could not be followed to its end.",
    "Newton steps do not reach the optimum of a model with constraints.",
    "A Newton step of a model with constraints does not lower the objective.",
    "text is no number",
    "penalty_factor has the type …",  # both are caught, and are the reason in another error
    "the fit of the intercepts with the offset did not converge.",
}


def words(text):
    """The text in one line, without quotes, to be found however the page breaks its lines."""
    return " ".join(text.replace("`", "").split())


def test_messages_are_found():
    assert len(ERRORS) > 200 and len(WARNINGS) >= 9


@pytest.mark.parametrize("message", WARNINGS, ids=lambda message: message.text[:40])
def test_page_has_every_warning(message):
    parts = [words(part) for part in re.split("…|: ", message.text)]
    first = next(part for part in parts if len(part) > 20)
    assert first[:40] in words(PAGE)


@pytest.mark.parametrize("title", re.findall(r'^### \w+Warning: "(.*)"$', PAGE, re.MULTILINE))
def test_every_warning_of_the_page_is_in_the_code(title):
    source = "".join(
        re.sub(r'"\s*f?"', "", path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "skxent").rglob("*.py"))
    )
    parts = [part.strip(" .") for part in title.split("…")]
    assert all(part in words(source) or part in source for part in parts if len(part) > 8)


def test_tables_have_every_error():
    places = tuple(" ".join(re.findall(r"^```{error-messages} (.*)$", PAGE, re.MULTILINE)).split())
    left_out = {error.path for error in ERRORS if not error.path.startswith(places)}
    assert left_out == {"__init__.py"}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{error.path}-{error.text[:30]}")
def test_errors_say_what_to_do(error):
    cause, cure = error.parts
    sentences = re.split(r"[:.;,] ", error.text)
    says = cure or len(sentences) > 1
    assert says or error.text in WITHOUT_CURE or cause == "…"


def test_the_values_of_a_message_are_left_out(tmp_path):
    (tmp_path / "room.py").write_text(
        'CURE = "pass one of them"\n'
        "def f(x):\n"
        '    raise ValueError(f"x is {x!r}: {CURE}.")\n'
        "def g(x):\n"
        '    text = "no x" if x is None else f"x is {x}"\n'
        '    warnings.warn(text + ", and is ignored: leave x out.", stacklevel=2)\n'
    )
    found = [(message.kind, *message.parts) for message in messages.messages(tmp_path)]
    assert sorted(found) == [
        ("ValueError", "x is …", "pass one of them."),
        ("warning", "no x, and is ignored", "leave x out."),
        ("warning", "x is …, and is ignored", "leave x out."),
    ]
