"""The features that drawn calls test: name -> check, from every module drawn_FEATURES_calls.py."""

from importlib import import_module
from pathlib import Path

FEATURES = {}
for path in sorted(Path(__file__).parent.glob("drawn_*_calls.py")):
    FEATURES |= import_module(path.stem).FEATURES
