"""The rule audit from start to plot: a mixture on a stream that drifts, its rules as an xarray Dataset and a figure."""

import sys

import numpy as np

from anabranch import Model, Recorder

random = np.random.default_rng(7)
n, d = 6000, 6
X = random.normal(size=(n, d))
early, late = random.normal(size=d), random.normal(size=d)
y = np.where(np.arange(n) < n // 2, X @ early, X @ late) + 0.1 * random.normal(size=n)

model = Model("scale(moe(linear, rls(lambda=0.99), rls, mean, router=blend))", d)
recorder = Recorder(model, every=16, period=32)
model.learn_many(X, y)

dataset = recorder.to_xarray()
rules = [name[:-2] for name in dataset if name.endswith("_L")]
print(dataset.sizes)
for rule in rules:
    print(f"{rule:24s} [{float(dataset[rule + '_L'][-1]):.2f}, {float(dataset[rule + '_U'][-1]):.2f}]")
assert dataset.sizes == {"step": n // 16, "expert": 4} and rules

jump = dataset["loss"].sel(step=slice(n // 2, n // 2 + 160)).mean()
assert jump > 3 * dataset["loss"].sel(step=slice(n - 1000, n)).mean(), "the drift shows in the loss"

if len(sys.argv) > 1:
    recorder.plot().savefig(sys.argv[1])
