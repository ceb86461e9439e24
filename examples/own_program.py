# %% [markdown]
# # A program of one's own
#
# What a compiler or profiler wrote, read and priced on a machine: which collectives, what each takes,
# what is missing, what would help. Times are as neuron runs it and of links alone, each said.

# %%
import rainier_fast as rf

HLO = """HloModule step, num_partitions=64

%add (a: f32[], b: f32[]) -> f32[] {
  %a = f32[] parameter(0)
  %b = f32[] parameter(1)
  ROOT %sum = f32[] add(%a, %b)
}

ENTRY %main (p: bf16[1024,8192], q: f32[67108864]) -> (bf16[65536,8192], f32[67108864]) {
  %p = bf16[1024,8192] parameter(0)
  %q = f32[67108864] parameter(1)
  %rows = bf16[65536,8192] all-gather(%p), channel_id=1, replica_groups=[1,64]<=[64],
    dimensions={0}, use_global_device_ids=true
  %grads = f32[67108864] all-reduce(%q), channel_id=2, replica_groups=[4,16]<=[64],
    use_global_device_ids=true, to_apply=%add
  ROOT %out = (bf16[65536,8192], f32[67108864]) tuple(%rows, %grads)
}
""".replace(",\n    ", ", ")
program = rf.read(HLO.encode())  # or the path of a dump, of a Kineto trace, of a Chakra trace
program

# %% [markdown]
# `rf.formats()` lists what `read` knows. What the text does not say is None, with a note.

# %%
for each in program:
    print(each.name, each.op, each.bytes_in, each.dtype, each.groups, each.notes)

# %% [markdown]
# ## On an UltraServer

# %%
ultra = rf.preset("trn2-ultraserver")
cost = ultra.cost_of(program)
cost

# %% [markdown]
# ## On a damaged one, by links alone

# %%
hurt = ultra.with_faults(links=rf.LinkAt("z", x=1))
for each in program:
    groups = each.groups.to_lists()
    size = max(each.bytes_in, each.bytes_out)
    before = getattr(ultra, each.op)(size, group=groups)
    after = getattr(hurt, each.op)(size, group=groups)
    print(f"{each.op}: {after.time_s / before.time_s:.2f} times as long, {after.kind}")

# %% [markdown]
# ## Written by hand
#
# A program is a list of collectives; 4,096 ranks need no list of groups.

# %%
mine = rf.ProgramGroups.own(start=0, stride=1, size=64)
gather = rf.ProgramCollective("rows", "all_gather", 2**20, 2**26, "bf16", mine, count=128)
print(rf.preset("rainier", chips=4_096).cost_of(rf.Program((gather,), world=4_096, rank=0)))
