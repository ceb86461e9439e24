# %% [markdown]
# # A mesh for 405B
#
# Llama 3.1 405B on Trainium2: which layout, and how does the answer change with the number of chips?
# Times are as neuron runs it, unless a cell says links alone. Read ratios rather than seconds: no
# training step on Trainium2 is published.

# %%
import rainier_fast as rf

job = rf.Training("llama-3.1-405b", sequence=8192, batch=2048, recompute="selective")
rainier = rf.preset("rainier")

# %% [markdown]
# ## The best of all layouts that divide and fit

# %%
ranking = rainier.best_layouts(job, chips=16_384, keep=3, cp=[1, 2], microbatch=1)
ranking

# %%
best = ranking.step(0)
best

# %% [markdown]
# ## Where the time goes
#
# `parts` adds up to the time. `guesses` is what rests on no measurement.

# %%
for name, seconds in best.parts.items():
    if seconds > 0.01 * best.time_s:
        print(f"{name:20} {seconds / best.time_s:6.1%} of a step {best.kind}")
assert abs(sum(best.parts.values()) / best.time_s - 1) < 1e-12

# %%
best.memory

# %% [markdown]
# ## What the usual layouts of GPUs would take

# %%
for layout in (rf.Layout(tp=8, pp=16), rf.Layout(tp=16, pp=8), rf.Layout(tp=16, zero=3)):
    step = rainier.training_step(job, layout, chips=16_384)
    print(f"{step.time_s / best.time_s:.2f} times as long {step.kind}, fits: {step.fits}")

# %% [markdown]
# ## More chips, the same batch
#
# The limit of scale is the batch, not the torus.

# %%
for chips in (4_096, 16_384, 65_536):
    found = rainier.best_layouts(job, chips=chips, keep=1, cp=[1, 2, 4], pp=1, microbatch=1)
    step = found.step(0)
    print(f"{chips:6} chips: {step.time_s:5.1f} s {step.kind}, MFU {step.mfu:.0%}, {found.best}")
