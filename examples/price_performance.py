# %% [markdown]
# # Price-performance
#
# What a dollar buys of the same service and the same training job on machines of several makers.
# A price has a contract, a region and a month; a time says whose software it is of.

# %%
import rainier_fast as rf

for price in rf.prices()[:4]:
    print(price)

# %% [markdown]
# ## A service, within an objective
#
# Each machine runs by the best layout and load that meet the objective.

# %%
service = rf.Serving("llama-3.3-70b", input=8192, output=256)
found = rf.price_performance(
    ["trn2", "h100"],
    service,
    slo=[{"ttft": "4 s", "tpot": "50 ms"}, {"tpot": "100 ms"}],
    date=["2026-01", "2026-07"],
)
found

# %% [markdown]
# "30 to 40 % better price-performance" holds or fails with what is asked.

# %%
print(found.claim)

# %% [markdown]
# ## A training job

# %%
job = rf.Training("llama-3.1-70b", sequence=8192, batch=1024)
narrow = {"cp": [1, 2], "microbatch": 1, "schedule": "1f1b"}
rf.compare(["rainier", "h100", "b200"], job=job, group_chips=1_024, **narrow)

# %% [markdown]
# Dollars and watts of one of them:

# %%
trn2 = rf.preset("rainier", chips=1_024)
step = trn2.best_layouts(job, keep=1, **narrow).step(0)
print(trn2.cost(step, prices="capacity-block", date="2026-07"))
print(trn2.power(step))

# %% [markdown]
# Costs of an owner, where you know them; the numbers here are made up:

# %%
owner = rf.Tco(capex=20_000, life_years=5, power_kw=0.88, price_per_kwh="indiana", rate=0.08)
print(trn2.cost(step, prices=owner))
