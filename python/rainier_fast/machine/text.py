"""How a machine reads, as text and in a notebook."""

from __future__ import annotations

from typing import Any, Final

from rainier_fast.definitions.axis import Axis
from rainier_fast.definitions.site import Site
from rainier_fast.definitions.ultraserver import UltraServer
from rainier_fast.definitions.wan import Wan
from rainier_fast.faults.damaged import Damaged
from rainier_fast.faults.text import summary
from rainier_fast.screen import Facts
from rainier_fast.units import (
    format_bandwidth,
    format_bytes,
    format_count,
    format_flops,
    format_time,
)

_MOST_SITES: Final = 12


def page(machine: Damaged) -> list[Any]:
    """Return a machine's name, and what is worth knowing of it."""
    return [_title(machine), facts(machine)]


def facts(machine: Damaged) -> Facts:
    """Return what is worth knowing of a machine, as pairs of a name and a line."""
    server, sites = machine.ultraserver, machine.sites
    rows = [("chips", _chips(machine))]
    if machine.is_damaged:
        live = f"{format_count(machine.num_live_chips)} chips work"
        rows.append(("faults", f"{summary(machine._faults)}; {live}"))
    if server.chip is not None:
        rates = [
            f"{format_flops(machine.peak_flops(dtype))} {dtype}"
            for dtype in ("fp8", "bf16", "fp32")
            if dtype in dict(server.chip.peak_flops)
        ]
        rows.append(("peak", ", ".join(rates)))
        rows.append(("HBM", format_bytes(machine.hbm_bytes)))
    rows.append(("links", f"{format_count(machine.num_links)}, directed"))
    rows.append((server.name if _single(machine) else "each", _axes(server)))
    if server.overhead_s:
        rows.append(("overhead", f"{format_time(server.overhead_s)} per message"))
    if server.launch_s:
        rows.append(("launch", f"{format_time(server.launch_s)} at least for each collective call"))
    if server.gpu is not None:
        rows.append(("NCCL", str(server.gpu)))
    if server.tpu is not None:
        rows.append(("XLA", str(server.tpu)))
    if server.nic is not None:
        nic = server.nic
        each = "chip" if nic.chips == 1 else f"{nic.chips} chips"
        words = f"{format_bandwidth(nic.bandwidth_Bps)} per {each}, {format_time(nic.latency_s)}"
        rows.append(("NIC", f"{words}, {format_time(nic.overhead_s)} per message"))
    if not _single(machine):
        rows += [(f"site {site.name}", _site(site)) for site in sites[:_MOST_SITES]]
        if len(sites) > _MOST_SITES:
            rows.append(("...", f"{len(sites) - _MOST_SITES} more sites"))
    if machine.wan is not None:
        rows.append(("WAN", _wan(machine.wan, len(sites))))
    return rows


def _title(machine: Damaged) -> str:
    if machine.name:
        return machine.name
    if machine.num_ultraservers == 1:
        return machine.ultraserver.name
    return f"cluster of {format_count(machine.num_ultraservers)} x {machine.ultraserver.name}"


def _single(machine: Damaged) -> bool:
    return machine.num_ultraservers == 1


def _chips(machine: Damaged) -> str:
    chip = machine.ultraserver.chip
    words = format_count(machine.num_chips) + ("" if chip is None else f" x {chip.name}")
    if _single(machine):
        return words
    servers = format_count(machine.num_ultraservers)
    words += f" in {servers} x {machine.ultraserver.name}"
    return words + (f", {len(machine.sites)} sites" if len(machine.sites) > 1 else "")


def _axes(server: UltraServer) -> str:
    alike: dict[str, list[str]] = {}
    for axis in server.axes:
        alike.setdefault(_links(axis), []).append(axis.name)
    shape = " x ".join(map(str, server.shape))
    return f"{shape} chips; " + "; ".join(
        f"{', '.join(names)} {links}" for links, names in alike.items()
    )


def _links(axis: Axis) -> str:
    kind = axis.kind.replace("_", " ")
    return f"{kind}, {format_bandwidth(axis.bandwidth_Bps)}, {format_time(axis.latency_s)}"


def _site(site: Site) -> str:
    tiers = ", ".join(
        f"groups of {format_count(tier.group)}"
        + (f" ({tier.oversubscription:g}:1)" if tier.oversubscription != 1 else "")
        for tier in site.tiers
    )
    # Only some domains are UltraServers by name; the others go by their own.
    name = site.ultraserver.name
    unit = "UltraServers" if "ultraserver" in name.lower() else f"x {name}"
    servers = f"{format_count(site.ultraservers)} {unit}"
    chips = f"{format_count(site.num_chips)} chips"
    return f"{servers}, {chips}; fabric {tiers or 'of one switch'}"


def _wan(wan: Wan, sites: int) -> str:
    _, bandwidth, latency, window = wan.tables(sites)
    used = [at for at in range(len(bandwidth)) if wan.shape == "hub" or at % (sites + 1)]
    rates = {bandwidth[at] for at in used} or {0.0}
    times = {latency[at] for at in used} or {0.0}
    speed = " to ".join(format_bandwidth(end) for end in sorted({min(rates), max(rates)}))
    delay = " to ".join(format_time(end) for end in sorted({min(times), max(times)}))
    words = f"{wan.shape}, {speed} per link, {delay}"
    return words if window is None else f"{words}, {format_bytes(window)} on the way per message"
