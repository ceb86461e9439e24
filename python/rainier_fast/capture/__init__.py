"""Collectives of programs that exist, recorded without their machine.

`torch` runs a training step on a fake process group, with tensors that have no memory; `jax`
compiles a function ahead of time. Both give a `rainier_fast.Program`, which `Machine.cost_of`
takes. docs/programs.md has a step of each kind.
"""

from rainier_fast.capture.jax_function import jax
from rainier_fast.capture.torch_step import torch

__all__ = ["jax", "torch"]
