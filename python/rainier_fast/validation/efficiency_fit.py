"""Fits again how fast chips run operators: ``python -m rainier_fast.validation.efficiency_fit``.

Trainium2's and Ironwood's rows are few and beside this file. GPUs have some 300,000 rows each in
the package aiconfigurator_core: name its unpacked ``systems/data`` and they are fitted too. Every
second size is fitted, in ascending order; errors are said of both halves. ``--write`` puts the
figures into the catalogue's file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.definitions.efficiency_data import BYTES, chip_of, data
from rainier_fast.definitions.efficiency_fit import CONVERSION, FREE, by_octave, fitted
from rainier_fast.definitions.operators import AttentionRate, MatmulRate, MemoryRate
from rainier_fast.validation.data import read

Vector: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = Any
"""What picks rows: an array of bools, or a slice of all."""

Figures: TypeAlias = dict[str, Any]
Frame: TypeAlias = Any

SYSTEMS: Final = {
    "a100": "a100_sxm",
    "h100": "h100_sxm",
    "h200": "h200_sxm",
    "b200": "b200_sxm",
    "b300": "b300_sxm",
    "gb200": "gb200",
    "gb300": "gb300",
}
STACKS: Final = ("sglang", "vllm", "trtllm")
KERNELS: Final = {
    "sglang": ("fa3", "flash_attention", "trtllm_mha"),
    "vllm": ("vllm_flash_attn", "vllm_flash_attn_fa3", "vllm_flashinfer_trtllmprefill"),
    "trtllm": ("torch_flow",),
}
"""Kernels of attention that are kept; others serve sizes that these do not."""

_TYPES: Final = {"bf16": "bfloat16", "fp8": "fp8"}
_ATTENTION: Final = {
    "ceiling": (0.7, 0.01, 1.0),
    "hbm_ceiling": (0.5, 0.01, 1.0),
    "launch_s": (1e-5, 1e-8, 1e-3),
    "few_rows": (1e4, 1.0, 1e7),
    "score_flops": (1e2, 1.0, 1e4),
    "row_flops": (1e5, 1.0, 1e8),
}
_MEMORY: Final = {"hbm_ceiling": (0.8, 0.01, 1.0), "launch_s": (2e-6, 1e-8, 1e-3)}
_LARGE: Final = 1024
_SEQUENCES: Final = 256
_PLAIN: Final = 128
_WORK: Final = 1e10
_MOVED: Final = 3.0
_SMALL: Final = 2**18
_BEYOND: Final = 2**27
_SKINNY: Final = 0.74
_BLANK: Final[_core._EfficiencyRow] = ((1, 1, 0, 0, 0, 0, 1, 1), (1, 1, 1, 0, 0, 0, 0, 1), (1, 0))


def matmul(
    chip: str,
    precision: str,
    sizes: Vector,
    times: Vector,
    free: Mapping[str, Any],
    fit: Mask,
    parts: int = 1,
) -> Figures:
    """Fit the rows of a mask, of one part of a chip; return figures, and errors by half."""
    known = chip_of(chip)
    peaks = dict(known.peak_flops) | dict(known.tensor_flops)
    operand, output = BYTES[precision]

    def at(values: Mapping[str, float], which: Mask = slice(None)) -> Vector:
        figures: Figures = {"hbm_ceiling": _SKINNY} | dict(values)
        rate = MatmulRate(
            peak_flops=peaks[precision] / parts,
            bandwidth_Bps=float(known.hbm_bandwidth_Bps) / parts,
            operand_B=operand,
            output_B=output,
            **figures,
        )
        lines = np.ascontiguousarray(sizes[which])
        return np.asarray(_core.matmul_times((rate.row(), *_BLANK[1:]), lines) / times[which])

    large = (sizes >= _LARGE).all(axis=1)
    return _both(at, free, fit, by_octave(sizes[fit]), large)


def _both(at: Any, free: Mapping[str, Any], fit: Any, weights: Vector, large: Any) -> Figures:  # noqa: ANN401
    values = fitted(lambda named: at(named, fit), free, weights)
    errors = np.abs(at(values) - 1)
    about: Figures = {"rows": int(fit.sum()), "fitted": _mean(errors[fit])}
    if (~fit).any():
        about["held_out"] = _mean(errors[~fit])
    if (~fit & large).any():
        about["large"] = _mean(errors[~fit & large])
    return {**values, **about}


def _mean(errors: Vector) -> float:
    return round(float(errors.mean()), 4)


def few(table: Mapping[str, Any]) -> tuple[Figures, float]:
    """Fit products of bf16 to a table of few rows, and each row by a fit to the others.

    Returns the figures and the seconds of the host's call.
    """
    rows, parts = [row for row in table["rows"] if "m" in row], table["parts"]
    sizes = np.array([[row["m"], row["k"], row["n"]] for row in rows], float)
    times = 2 * sizes.prod(axis=1) / np.array([row["tflops"] * 1e12 for row in rows])
    alone = np.array([row.get("alone", not table.get("called")) for row in rows])
    free = {name: FREE[name] for name in table["free"]} | {"launch_s": (5e-5, 1e-8, 1e-2)}

    def of(which: Mask | None) -> Figures:
        others = alone if which is None else alone & which
        return matmul(table["chip"], "bf16", sizes[alone], times[alone], free, others[alone], parts)

    found = of(None)
    left = [of(np.arange(len(rows)) != out)["held_out"] for out in np.flatnonzero(alone)]
    found["held_out"] = round(float(np.mean(left)), 4)
    found.pop("large", None)
    if not alone.all():
        # What all cores reach together, by the rows of that; a call takes as long.
        busy = times[~alone] - found["launch_s"]
        flops = 2 * sizes[~alone].prod(axis=1) / busy
        peak = dict(chip_of(table["chip"]).tensor_flops)["bf16"] / parts
        found["ceiling"] = float(f"{flops.mean() / peak:.4g}")
    if "area" in found:
        found["area"] = float(f"{found['area'] * parts:.4g}")
    call = found["launch_s"] if table["host"] else 0.0
    return found, call


def of_gpu(chip: str, stack: str, folder: Path) -> Figures:
    """Fit all operators of a stack on a GPU."""
    source = f"aic-{stack}"
    found: Figures = {"matmul": {}}
    for precision, name in _TYPES.items():
        table = _table(folder, chip, "gemm", stack, "gemm_perf")
        table = table[table["gemm_dtype"] == name]
        if not len(table):
            continue
        table = table.sort_values(["m", "n", "k"])
        sizes = table[["m", "k", "n"]].to_numpy(float)
        free = {**FREE, **(CONVERSION if precision == "fp8" else {})}
        fit = np.arange(len(table)) % 2 == 0
        times = table["latency"].to_numpy(float) * 1e-3
        figures = matmul(chip, precision, sizes, times, free, fit)
        found["matmul"][precision] = {**figures, "kind": "fit", "source": source}
    found["attention"] = {**_attention(chip, stack, folder), "kind": "fit", "source": source}
    found["attention"] |= {"backward": 0.863, "backward_source": "fa2"}
    found["attention"]["backward_kind"] = "published" if chip == "a100" else "guess"
    share = found["matmul"]["bf16"]["hbm_ceiling"]
    found["memory"] = _memory(chip, folder) or {
        "hbm_ceiling": share,
        "launch_s": found["matmul"]["bf16"]["launch_s"],
        "kind": "guess",
        "source": "products",
    }
    return found


def _attention(chip: str, stack: str, folder: Path) -> Figures:
    table = _table(folder, chip, "attention", stack, "context_attention_perf")
    if "window_size" not in table:
        table["window_size"] = 0
    keep = (table["attn_dtype"] == "bfloat16") & (table["kv_cache_dtype"] == "bfloat16")
    keep &= table["kernel_source"].isin(KERNELS[stack]) & (table["isl"] >= _SEQUENCES)
    keep &= table["head_dim"].isin([64, 128, 192, 256]) & (table["step"] == 0)
    names = ["batch_size", "isl", "num_heads", "num_key_value_heads", "head_dim", "window_size"]
    table = table[keep].sort_values(names)
    lot, queries, heads, kv, size, window = table[names].to_numpy(float).T
    seen = [
        _core.keys_seen(q, q, causal=True, window=w or None)
        for q, w in zip(queries, window, strict=True)
    ]
    lines = np.stack([lot * queries * heads, lot * queries * kv, np.array(seen), size, size], 1)
    times = table["latency"].to_numpy(float) * 1e-3
    known = chip_of(chip)

    def at(values: Mapping[str, float], which: Mask = slice(None)) -> Vector:
        rate = AttentionRate(
            peak_flops=dict(known.tensor_flops)["bf16"],
            bandwidth_Bps=known.hbm_bandwidth_Bps,
            backward=1.0,
            **values,  # type: ignore[arg-type] # numbers
        )
        row = (_BLANK[0], rate.row(), _BLANK[2])
        some = np.ascontiguousarray(lines[which])
        return np.asarray(_core.attention_times(row, some, False) / times[which])  # noqa: FBT003

    fit = np.arange(len(table)) % 2 == 0
    large = (queries >= _LARGE) & (size == _PLAIN) & (window == 0)
    large &= lines[:, 0] * queries * size > _WORK
    weights = by_octave((lines[:, 0] * lines[:, 2])[fit, None])
    return _both(at, _ATTENTION, fit, weights, large)


def _memory(chip: str, folder: Path) -> Figures | None:
    """Fit what scales numbers from bf16 to fp8, by vLLM's kernel: two bytes read, one written.

    Rows that stay in a cache are left out, but for the smallest, which say what a call takes.
    """
    table = _table(folder, chip, "quantize", "vllm", "scale_matrix_perf")
    if not len(table):
        return None
    moved = _MOVED * table["m"] * table["k"]
    table = table[(moved < _SMALL) | (moved > _BEYOND)].sort_values(["m", "k"])
    moved = _MOVED * table["m"].to_numpy(float) * table["k"].to_numpy(float)
    times = table["latency"].to_numpy(float) * 1e-3
    bandwidth = chip_of(chip).hbm_bandwidth_Bps

    def at(values: Mapping[str, float], which: Mask = slice(None)) -> Vector:
        rate = MemoryRate(bandwidth_Bps=bandwidth, **values)  # type: ignore[arg-type] # numbers
        row = (*_BLANK[:2], rate.row())
        seconds = [_core.memory_time(row, size) for size in moved[which]]
        return np.asarray(seconds / times[which])

    fit = np.arange(len(table)) % 2 == 0
    found = _both(at, _MEMORY, fit, by_octave(moved[fit, None]), moved > _BEYOND)
    return {**found, "kind": "fit", "source": "aic-scale"}


def _table(folder: Path, chip: str, part: str, stack: str, name: str) -> Frame:
    """Return the newest table of a stack, where there is one."""
    import pandas as pd  # type: ignore[import-untyped, unused-ignore] # only who refits asks

    place = folder / SYSTEMS[chip] / part / stack
    versions = sorted(place.glob(f"*/{name}.parquet"), key=lambda path: _version(path.parent.name))
    return pd.read_parquet(versions[-1]) if versions else pd.DataFrame()


def _version(text: str) -> list[int]:
    return [int(part) for part in "".join(c if c.isdigit() else " " for c in text).split()]


def refit(folder: Path | None) -> Iterator[tuple[str, str, Figures]]:
    """Yield chip, stack and figures of every fit."""
    for table in read("efficiency")["tables"]:
        if "free" not in table:
            continue
        chip, stack = table["chip"], table["stack"]
        entry = data()["chips"][chip]["stacks"][stack]
        figures, call = few(table)
        if call:
            del figures["launch_s"]  # of the host, not of the operator
        own = {**entry["matmul"]["bf16"], **figures}
        found = {**entry, "matmul": {**entry["matmul"], "bf16": own}}
        yield chip, stack, {**found, "call_s": call} if call else found
    if folder is not None:
        for chip in SYSTEMS:
            for stack in STACKS:
                yield chip, stack, of_gpu(chip, stack, folder)


def written(document: Figures) -> str:
    """Return the file as text: a line for each operator of a stack."""
    if not any(isinstance(value, dict) for value in document.values()):
        return json.dumps(document)
    lines = []
    for key, value in document.items():
        text = written(value) if isinstance(value, dict) else json.dumps(value)
        lines.append(f"  {json.dumps(key)}: " + text.replace("\n", "\n  "))
    return "{\n" + ",\n".join(lines) + "\n}"


def main(arguments: list[str]) -> int:
    """Print the fits; with ``--write``, put them into the catalogue."""
    write = "--write" in arguments
    folders = [Path(word) for word in arguments if word != "--write"]
    if len(folders) > 1 or not all(folder.is_dir() for folder in folders):
        print("usage: python -m rainier_fast.validation.efficiency_fit [SYSTEMS/DATA] [--write]")
        return 2
    document = data()
    for chip, stack, figures in refit(folders[0] if folders else None):
        print(f"{chip}, {stack}")
        for name, found in [*figures["matmul"].items(), *figures.items()]:
            if isinstance(found, dict) and name != "matmul":
                print(f"  {name}: {json.dumps(found)}", flush=True)
        document["chips"].setdefault(chip, {}).setdefault("stacks", {})[stack] = figures
    if write:
        path = Path(__file__).parents[1] / "catalog" / "data" / "efficiency.json"
        path.write_text(written(document) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
