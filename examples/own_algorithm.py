# %% [markdown]
# # An algorithm of one's own
#
# An all-gather for a torus of 4 x 4 chips, written as a list of sends, proven, priced, simulated, and
# saved for a runtime. Times are of links alone.

# %%
import rainier_fast as rf

trn2 = rf.preset("trn2")
size = "64 MiB"


# %% [markdown]
# ## Round a ring, one way or both


# %%
def ring(chips, *, both):
    """Pass blocks round a ring of chips, one way, or half of them each way."""
    n = len(chips)
    far = n // 2 if both else n - 1
    sends = [
        rf.Send(src=rank, dst=(rank + 1) % n, blocks=[(rank - step) % n], step=step)
        for step in range(far)
        for rank in range(n)
    ]
    sends += [
        rf.Send(src=rank, dst=(rank - 1) % n, blocks=[(rank + step) % n], step=step)
        for step in range(n - 1 - far)
        for rank in range(n)
    ]
    return rf.Schedule("all_gather", size, chips=chips, sends=sends, blocks=n)


snake = [0, 1, 2, 3, 7, 6, 5, 4, 8, 9, 10, 11, 15, 14, 13, 12]
ideas = {
    "rows": ring(range(16), both=False),
    "snake": ring(snake, both=False),
    "both ways": ring(snake, both=True),
}
for name, schedule in ideas.items():
    schedule.verify()
    result = trn2.run(schedule)
    print(f"{name:10} {result.time_s * 1e6:4.0f} us {result.kind}, {result.efficiency:.0%} of it")

# %% [markdown]
# A ring uses two of a chip's four links at most. What is the best that is known here?

# %%
best = trn2.all_gather(size)
best

# %% [markdown]
# ## Simulated
#
# The same messages with max-min fair rates, each starting when what it waits for has come.

# %%
fluid = trn2.run(ideas["both ways"], model="fluid")
fluid

# %% [markdown]
# ## Wrong on purpose

# %%
sends = [rf.Send(src=0, dst=1, blocks=[0], step=0)]
lacking = rf.Schedule("all_gather", size, chips=[0, 1], blocks=2, sends=sends)
try:
    lacking.verify()
except rf.InvalidSchedule as error:
    print(error)

# %% [markdown]
# ## A cable less, and out of here

# %%
hurt = trn2.with_faults(links=rf.LinkAt("x", x=1))
made = hurt.all_gather(size, algorithm="synthesized")
made.schedule().verify()
print(repr(hurt.run(ideas["both ways"])), repr(made), sep="\n")
ideas["both ways"].save("mine.xml", format="msccl")
assert trn2.run(rf.read("mine.xml")).time_s == trn2.run(ideas["both ways"]).time_s
