"""A service that answers while it learns: worker threads predict, one thread learns the labels that come in.

The handlers are what a web framework would call; `queue.Queue` stands for the labels' way in.
"""

import queue
import threading

import numpy as np

from anabranch import Model, Server

FEATURES = ["distance", "hour", "rain"]
server = Server(Model("scale(rls)", FEATURES), interval=32)
labels = queue.Queue()
local = threading.local()


def predict(body):
    """POST /predict: a reader for each worker thread."""
    if not hasattr(local, "reader"):
        local.reader = server.reader()
    return {"prediction": local.reader.predict_one(body), "version": local.reader.version}


def label(body):
    """POST /label."""
    labels.put(body)
    return {"queued": True}


def learn():
    while (body := labels.get()) is not None:
        server.train_one(body["x"], body["y"])
    server.publish()


learner = threading.Thread(target=learn)
learner.start()


def client(seed):
    random = np.random.default_rng(seed)
    for _ in range(500):
        x = dict(zip(FEATURES, random.normal(size=3).tolist()))
        answer = predict(x)
        assert np.isfinite(answer["prediction"])
        label({"x": x, "y": 3 * x["distance"] + x["rain"]})


clients = [threading.Thread(target=client, args=(seed,)) for seed in range(4)]
for thread in clients:
    thread.start()
for thread in clients:
    thread.join()
labels.put(None)
learner.join()

said = predict({"distance": 1.0, "hour": 0.0, "rain": 1.0})
print(f"after {server.model().n_samples_seen} labels: {said}")
assert server.model().n_samples_seen == 2000 and abs(said["prediction"] - 4) < 0.5
