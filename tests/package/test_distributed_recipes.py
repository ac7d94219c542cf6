"""The recipes of docs/distributed.md run in several processes, and give the mean of the whole."""

import importlib.util
import math
import multiprocessing
import os
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from skxent import CrossEntropySum, categorical_cross_entropy

PAGE = Path(__file__).parents[2] / "docs" / "distributed.md"
NAMES = ["ant", "bee", "cow"]
SHARDS = [slice(0, 3), slice(3, 3), slice(3, 50)]  # uneven, one is empty, one lacks a class


def recipe(name):
    """The block of the page below the comment `name`."""
    pattern = rf"^<!-- {name} -->\n```\n(.*?)^```$"
    (found,) = re.findall(pattern, PAGE.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture(scope="module")
def whole():
    rng = np.random.default_rng(0)
    codes = np.arange(50) % 3
    codes[:3] = [0, 1, 0]
    Z = 3 * rng.normal(size=(50, 3))
    return {
        "y": np.array(NAMES)[codes],
        "codes": codes,
        "Z": Z,
        "P": softmax(Z, axis=1),
        "weight": rng.uniform(0, 2, size=50),
    }


def run_all(commands, **options):
    """Run commands at the same time; return what they print."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    processes = [subprocess.Popen(command, **options) for command in commands]
    answers = [process.communicate(timeout=300) for process in processes]
    assert not any(process.returncode for process in processes), answers
    return [out for out, _ in answers]


def test_jobs_leave_their_pairs_in_files(whole, tmp_path):
    """Three processes at once; what they wrote has the bits that this process computes."""
    script = tmp_path / "job.py"
    script.write_text(recipe("script"), encoding="utf-8")
    commands = []
    for i, rows in enumerate(SHARDS):
        names = ("y", "P", "weight")
        np.savez(tmp_path / f"{i}.npz", **{name: whole[name][rows] for name in names})
        commands.append([sys.executable, script, tmp_path / f"{i}.npz", tmp_path / f"{i}.json"])
    run_all(commands)
    pairs = []
    for i, rows in enumerate(SHARDS):
        pairs.append(CrossEntropySum.from_json((tmp_path / f"{i}.json").read_text()))
        weight = whole["weight"][rows]
        here = CrossEntropySum.of(
            whole["y"][rows], whole["P"][rows], sample_weight=weight, labels=NAMES
        )
        assert pairs[i] == here
    assert pairs[1] == CrossEntropySum()
    losses = -np.log([row[NAMES.index(y)] for row, y in zip(whole["P"], whole["y"], strict=True)])
    expected = math.fsum(whole["weight"] * losses) / math.fsum(whole["weight"])
    assert sum(pairs, CrossEntropySum()).mean == pytest.approx(expected, rel=1e-14)
    means = [pair.mean for pair in pairs if pair.weight]
    assert np.mean(means) != pytest.approx(expected, rel=0.05)  # the wrong number is another one


def test_a_pool_of_two_processes(whole):
    score = partial(CrossEntropySum.of, labels=NAMES)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        parts = ([whole[name][rows] for rows in SHARDS] for name in ("y", "P"))
        total = sum(pool.map(score, *parts), CrossEntropySum())
    assert total.weight == 50
    assert total.mean == pytest.approx(categorical_cross_entropy(whole["y"], whole["P"]), rel=1e-14)


RANK = """
import sys
import numpy as np, torch, torch.distributed as dist
rank, folder, meeting = int(sys.argv[1]), sys.argv[2], sys.argv[3]
dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
shard = np.load(f"{folder}/{rank}.npz")
labels, logits, weight = (torch.asarray(shard[name]) for name in ("codes", "Z", "weight"))
print(mean_over_ranks(labels, logits, weight, 3).hex())
dist.destroy_process_group()
"""


@pytest.mark.parametrize("first", [0, 3])
def test_ranks_of_torch(first, whole, tmp_path):
    torch = pytest.importorskip("torch")
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        pytest.skip("this PyTorch has no gloo")
    ignored = np.arange(50) % 5 == 4
    whole = {**whole, "codes": np.where(ignored, -100, whole["codes"])}
    for rank, rows in enumerate([slice(0, first), slice(first, 50)]):
        names = ("codes", "Z", "weight")
        np.savez(tmp_path / f"{rank}.npz", **{name: whole[name][rows] for name in names})
    meeting = (tmp_path / "meeting").as_uri()
    code = recipe("all_reduce") + RANK
    commands = [
        [sys.executable, "-c", code, str(rank), str(tmp_path), meeting] for rank in range(2)
    ]
    means = [float.fromhex(out) for out in run_all(commands)]
    kept = ~ignored
    expected = categorical_cross_entropy(
        whole["codes"][kept],
        whole["Z"][kept],
        from_logits=True,
        sample_weight=whole["weight"][kept],
    )
    assert means[0] == means[1] == pytest.approx(expected, rel=1e-14)


def test_accumulated_gradients_of_torch(whole):
    torch = pytest.importorskip("torch")
    functions = {}
    exec(recipe("accumulate"), functions)
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 3, dtype=torch.float64)
    X = torch.asarray(whole["Z"])
    y = torch.asarray(np.where(np.arange(50) % 5 == 4, -100, whole["codes"]))
    torch.nn.functional.cross_entropy(model(X), y).backward()
    expected = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    functions["accumulate"](model, [(X[rows], y[rows]) for rows in SHARDS])
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-12, atol=1e-15)


KERAS = """
import sys
import keras, numpy as np
data = np.load(sys.argv[1])
model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(3)])
X, y = data["Z"].astype("float32"), data["codes"]
batches = [(X[a:b], y[a:b]) for a, b in ((0, 3), (3, 4), (4, 50))]
print(evaluate(model, batches, 3).hex())
np.save(sys.argv[2], model.predict_on_batch(X))
"""


def test_batches_of_keras(whole, tmp_path):
    if importlib.util.find_spec("keras") is None:
        pytest.skip("could not import 'keras'")
    backends = [name for name in ("torch", "jax", "tensorflow") if importlib.util.find_spec(name)]
    if not backends:
        pytest.skip("no backend of Keras is installed")
    codes = np.where(np.arange(50) % 5 == 4, -1, whole["codes"])
    np.savez(tmp_path / "data.npz", Z=whole["Z"], codes=codes)
    command = [sys.executable, "-c", recipe("keras") + KERAS]
    command += [tmp_path / "data.npz", tmp_path / "logits.npy"]
    (out,) = run_all([command], env={**os.environ, "KERAS_BACKEND": backends[0]})
    logits = np.load(tmp_path / "logits.npy").astype(np.float64)
    losses = -log_softmax(logits, axis=1)[np.arange(50), codes][codes >= 0]
    assert float.fromhex(out) == pytest.approx(losses.mean(), rel=1e-5)  # predictions are float32
