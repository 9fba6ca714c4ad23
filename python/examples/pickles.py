"""A model goes to worker processes and comes back trained; the bytes say whether two models are equal."""

import concurrent.futures
import multiprocessing
import pickle

import numpy as np

from anabranch import Model


def work(model, seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(2000, 3))
    model.learn_many(X, X @ [1.0, 2.0, 3.0])
    return model


if __name__ == "__main__":
    start = Model("auto(budget=5)", 3)
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        trained = list(pool.map(work, [start] * 4, [1, 2, 1, 2]))
    here = work(start.copy(), 1)
    print([model.n_samples_seen for model in trained], start.n_samples_seen)
    assert trained[0].equal(here) and pickle.dumps(trained[0]) == pickle.dumps(trained[2])
    assert not trained[0].equal(trained[1]) and start.n_samples_seen == 0
