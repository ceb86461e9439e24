# %% [markdown]
# # A broken cable
#
# One NeuronLink cable of a Trn2 UltraServer is dead. What does it do to a collective, to a training
# step, and what is the best way to go on?

# %%
import rainier_fast as rf

whole = rf.Cluster(sites=[rf.Site("one", 4, rf.TRN2_ULTRASERVER)])
cable = rf.LinkAt("z", ultraserver=3, x=1)
hurt = whole.with_faults(links=cable)
hurt.faults

# %% [markdown]
# ## Routes go round it

# %%
source = int(whole.chip(ultraserver=3, x=1))
target = int(whole.chip(ultraserver=3, x=1, z=1))
print(whole.route(source, target).hops, "hop before,", hurt.route(source, target).hops, "now")
print(hurt.routing_report()[0])

# %% [markdown]
# ## Collectives, by links alone

# %%
for operation in ("all_reduce", "all_gather", "all_to_all"):
    before, after = getattr(whole, operation)("1 GiB"), getattr(hurt, operation)("1 GiB")
    print(f"{operation:12} {after.time_s / before.time_s:.2f} times as long, {after.kind}")
    assert after.time_s >= before.time_s

# %% [markdown]
# ## A training step, as neuron runs it

# %%
job = rf.Training("llama-3.1-70b", sequence=8192, batch=512)
steps = [machine.training_step(job, rf.Layout(tp=4, zero=3)) for machine in (whole, hurt)]
print(f"{steps[1].time_s / steps[0].time_s:.3f} times as long, {steps[1].kind}")

# %% [markdown]
# ## Ways to go on
#
# Go round it, run UltraServers as pairs of instances, leave ranks or UltraServers out, a spare.

# %%
impact = whole.impact({"links": cable}, "all_reduce", "1 GiB")
impact

# %% [markdown]
# ## A year of it
#
# What failures at Llama 3's rates leave of the work, by policy.

# %%
year = whole.goodput(steps[0], rates="llama3")
year
