"""partial_fit of scikit-learn: with a ColumnTransformer, and on the frame as it is."""

import numpy as np
import pandas
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder

import anabranch
from anabranch.sklearn import AnabranchRegressor

random = np.random.default_rng(0)
n = 4000
frame = pandas.DataFrame({"store": random.choice(["north", "south", "east"], n), "price": random.normal(size=n)})
y = frame["price"] * 2 + frame["store"].map({"north": 5.0, "south": -5.0, "east": 0.0})

encode = ColumnTransformer([("store", OneHotEncoder(sparse_output=False), ["store"])], remainder="passthrough").fit(frame)
model = AnabranchRegressor("scale(rls)")
for i in range(0, n, 500):
    model.partial_fit(encode.transform(frame[i : i + 500]), y[i : i + 500])
score = model.score(encode.transform(frame), y)
print(f"with a ColumnTransformer: R2 {score:.4f}")
assert score > 0.99

if "columns" in anabranch.learners():
    plain = AnabranchRegressor("scale(rls)")
    for i in range(0, n, 500):
        plain.partial_fit(frame[i : i + 500], y[i : i + 500])
    score = plain.score(frame, y)
    print(f"the frame as it is: R2 {score:.4f}, {plain.model_.schema}")
    assert score > 0.95
