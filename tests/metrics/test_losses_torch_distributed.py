"""Shards of a test set in several processes: pairs are added by all_reduce, and divided once."""

import subprocess
import sys

import numpy as np
import pytest

from skxent import categorical_cross_entropy

torch = pytest.importorskip("torch")
if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
    pytest.skip("this PyTorch has no gloo", allow_module_level=True)

# What each rank does with its shard is the pattern of docs/array_api.md.
RANK = """
import sys
import numpy as np, sklearn, torch, torch.distributed as dist
from skxent import CrossEntropySum

rank, folder = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=sys.argv[3], rank=rank, world_size=2)
shard = np.load(f"{folder}/{rank}.npz")
labels, logits, weight = (torch.asarray(shard[name]) for name in ("labels", "logits", "weight"))

with sklearn.config_context(array_api_dispatch=True):
    options = {"from_logits": True, "labels": range(4)}  # a shard may lack a class
    own = CrossEntropySum.of(labels, logits, sample_weight=weight, **options)
pair = torch.tensor([own.total, own.weight], dtype=torch.float64, device=logits.device)
dist.all_reduce(pair)
print(CrossEntropySum(*pair.tolist()).mean.hex())
dist.destroy_process_group()
"""


def test_uneven_shards_give_the_mean_of_the_whole(tmp_path):
    rng = np.random.default_rng(0)
    whole = {
        "labels": np.arange(50) % 4,
        "logits": 3 * rng.normal(size=(50, 4)),
        "weight": rng.uniform(0, 2, size=50),
    }
    # The first shard lacks a class.
    for rank, rows in enumerate([slice(0, 3), slice(3, 50)]):
        np.savez(tmp_path / f"{rank}.npz", **{name: x[rows] for name, x in whole.items()})
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, str(rank), str(tmp_path), (tmp_path / "meeting").as_uri()],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    answers = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    means = [float.fromhex(out) for out, _ in answers]
    expected = categorical_cross_entropy(
        whole["labels"], whole["logits"], from_logits=True, sample_weight=whole["weight"]
    )
    assert means[0] == means[1] == pytest.approx(expected, rel=1e-14)
