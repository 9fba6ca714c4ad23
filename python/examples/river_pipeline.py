"""A pipeline of River that swaps its regressor in one line."""

import random

from river import metrics, preprocessing
from river import linear_model

from anabranch.river import Regressor


def stream(n=3000):
    """A target whose slope turns round in the middle."""
    numbers = random.Random(1)
    for i in range(n):
        x = {"temperature": numbers.gauss(20, 5), "wind": numbers.gauss(5, 2), "noise": numbers.random()}
        slope = 1.0 if i < n // 2 else -1.0
        yield x, slope * x["temperature"] + 0.5 * x["wind"] + numbers.gauss(0, 0.5)


def score(regressor):
    model = preprocessing.StandardScaler() | regressor
    metric = metrics.RMSE()
    for x, y in stream():
        metric.update(y, model.predict_one(x))
        model.learn_one(x, y)
    return metric.get()


before = score(linear_model.LinearRegression())
after = score(Regressor("moe(linear, rls(lambda=0.99), router=blend)"))
print(f"rmse with LinearRegression {before:.2f}, with anabranch {after:.2f}")
assert after < before
