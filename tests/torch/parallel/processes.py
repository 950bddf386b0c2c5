"""Cases that several processes run together: one spawn of them runs all, since it takes seconds."""

import datetime
import json
import time
import traceback
import warnings
from typing import NamedTuple

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

TIMEOUT = datetime.timedelta(seconds=30)


class Here(NamedTuple):
    """This process: its rank, and how many there are."""

    rank: int
    size: int

    def cut(self, classes):
        """Return this rank's classes: uneven parts, and of three one that is empty."""
        ends = {1: [classes], 2: [6, classes], 3: [3, 3, classes], 4: [2, 4, 9, classes]}[self.size]
        return slice(0 if self.rank == 0 else ends[self.rank - 1], ends[self.rank])

    def part(self, tensor, axis=-1):
        """Return a copy of this rank's part of a tensor."""
        return tensor.movedim(axis, -1)[..., self.cut(tensor.shape[axis])].movedim(-1, axis).clone()


class Cases(dict):
    """Functions of `Here`, by their names."""

    def __call__(self, function):
        """Note a function."""
        assert function.__name__ not in self
        self[function.__name__] = function
        return function


def _work(rank, size, folder, cases):
    torch.set_num_threads(1)
    warnings.filterwarnings("error", category=FutureWarning)
    path = f"file://{folder}/meeting"
    dist.init_process_group("gloo", init_method=path, rank=rank, world_size=size, timeout=TIMEOUT)
    found = dict.fromkeys(cases, ("not run", 0.0))
    for name, case in cases.items():
        begin, error = time.monotonic(), ""
        try:
            case(Here(rank, size))
        except Exception:
            error = f"rank {rank} of {size}\n{traceback.format_exc()}"
        found[name] = error, time.monotonic() - begin
        if error:
            break  # the others' next call would meet another one of this rank
    (folder / f"{rank}.json").write_text(json.dumps(found))
    dist.destroy_process_group()


def run(cases, size, folder):
    """Run cases in so many processes; return {name: what went wrong in which of them}."""
    mp.spawn(_work, (size, folder, dict(cases)), nprocs=size)
    ranks = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(size)]
    return {name: "\n".join(filter(None, (of[name][0] for of in ranks))) for name in cases}
