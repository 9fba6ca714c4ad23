"""anabranch as a regressor of CapyMOA: `pip install capymoa` is needed."""

from __future__ import annotations

from typing import Any

from capymoa.base import Regressor as _Base

from ._model import Model


class Regressor(_Base):
    """A Model that is one of CapyMOA's regressors: for `prequential_evaluation` and the rest.

    Parameters
    ----------
    schema : capymoa.stream.Schema
        Of the stream; gives the number of features and the target's name.
    random_seed : int
        The model's seed.
    expression : str
        As of ``anabranch.Model``.

    Attributes
    ----------
    model : anabranch.Model
        The model that learns. Nominal attributes are numbered as CapyMOA numbers them.
    """

    def __init__(self, schema: Any = None, random_seed: int = 1, expression: str = "auto") -> None:
        super().__init__(schema=schema, random_seed=random_seed)
        if schema is None:
            raise ValueError("the stream's schema is needed")
        self.expression = expression
        self.model: Model = Model(expression, int(schema.get_num_attributes()), seed=random_seed)

    def __str__(self) -> str:
        return f"anabranch({self.expression})"

    def train(self, instance: Any) -> None:
        """Learns an instance."""
        self.model.learn_one(instance.x, instance.y_value)

    def predict(self, instance: Any) -> float:
        """The prediction for an instance."""
        return self.model.predict_one(instance.x)
