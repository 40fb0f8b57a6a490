# Made by .ci/stubs.py of sampler.py: do not edit.
import numpy as np
from collections.abc import Iterator, Sequence
from torch.utils.data import DataLoader, DistributedSampler
from typing import Any

__all__ = ['RowSampler']

def counts_by_weight(
    weights: Sequence[float] | np.ndarray, # (S,) numbers of 0 or more, in any unit
    total: int, # Samples
) -> np.ndarray: # (S,) whole numbers whose sum is `total`
    "Samples of each part in the ratio of the weights, by largest remainders; raises `ValueError` for weights that are none"

def visits(
    n: int, # Rows of the part
    start: int, # Place in the sequence
    count: int, # How many to take
    key: tuple[int, ...], # Integers that identify this sequence
) -> np.ndarray: # (count,) numbers below n
    "Which rows of a part come next"

def group_place() -> tuple[int, int] | None: # None without a group, where none is promised
    "Rank and number of processes of the process group; raises `ValueError` if the environment promises a group that is not there"

def check_alike(
    facts: list[dict[str, Any]], # Of each process
) -> None:
    "Raise `ValueError` where a process differs from the first"

def all_facts(
    facts: dict[str, Any], # Of this process
) -> list[dict[str, Any]]: # Of each process
    "What all processes of the group say; each has to call it"

class RowSampler(DistributedSampler[int]):
    "Rows of several parts in an order that all processes agree on; raises `ValueError` for what cannot be sampled"
    num_samples: Any
    counts: Any
    parts: Sequence[Sequence[int] | np.ndarray]
    seed: int
    epoch: int
    even: bool
    content: str
    def __init__(self,
        parts: Sequence[Sequence[int] | np.ndarray], # Row numbers of each part: a range or an array
        weights: Sequence[float] | np.ndarray | None = None, # One for each part, in any unit; None: as many of each as it has rows
        num_samples: int | None = None, # Per epoch, over all processes; None: the number of rows
        seed: int = 0, # 0 or more
        epoch: int = 0, # First epoch
        rank: int | None = None, # Of this process; None: from `torch.distributed` when the sampler is used, or 0
        world_size: int | None = None, # Number of processes; None: from `torch.distributed` when the sampler is used, or 1
        even: bool = False, # Repeat the first few samples until all processes have equally many, as `DistributedDataParallel` needs
        content: str = '', # Tells what the rows are; the processes compare it
    ) -> None: ...
    def __repr__(self) -> str: ...
    def order(self) -> np.ndarray: # (num_samples,)
        "Rows of this epoch, for all processes"
    @property
    def rank(self) -> int: ...
    @property
    def world_size(self) -> int: ...
    @property
    def num_replicas(self) -> int: ...
    def __len__(self) -> int:
        "Samples of this process that are left of the epoch since the last `set_epoch` or `load_state_dict`"
    def __iter__(self) -> Iterator[int]: ...
    def set_epoch(self,
        epoch: int, # 0 or more
    ) -> None:
        "Set the next epoch; setting the current one again keeps its position"
    def consumed(self,
        loader: DataLoader[Any], # `DataLoader` with this sampler
    ) -> Iterator[Any]: # Yields its batches
        "Batches, counted for `state_dict` as they reach the loop, regardless of prefetching"
    def state_dict(self,
        done: int | None = None, # Samples of this process that are done, since the epoch was started or resumed; None: as counted
    ) -> dict[str, Any]: # Of integers and lists of integers
        "The position in the epoch, to be saved in a checkpoint"
    def load_state_dict(self,
        state: dict[str, Any], # From `state_dict`
    ) -> None:
        "Resume from a state; raises `ValueError` if it belongs to other rows, weights or another seed"
