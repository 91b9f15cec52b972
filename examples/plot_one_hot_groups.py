"""
A variable stays with all its columns or goes
=============================================

One-hot encoding turns one variable into many columns. A penalty that knows only columns
drops some of them and keeps others, so that a variable that says nothing may stay for
the sake of a single category. With ``groups``, the columns of a variable are one group,
which stays or goes as a whole: the model asks for fewer variables.

The data are made up: the price of used cars depends on the brand, the fuel, the age and
the mileage, but not on the colour, on the day of the sale or on the number of
photographs in the advertisement.
"""

# %%
# Make up the cars; the price is in standard deviations from its mean.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, scale

from skgroupnet import GroupSparseMLPRegressor
from skgroupnet.plotting import FeatureImportanceDisplay

CATEGORIES = {
    "brand": ["Alfa", "Audi", "Dacia", "Fiat", "Ford", "Lexus", "Opel", "Skoda"],
    "fuel": ["diesel", "electric", "petrol"],
    "colour": ["black", "blue", "green", "grey", "red", "silver", "white"],
    "weekday": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
}
NUMBERS = ["age", "mileage", "photos"]
WORTH = {"Audi": 1.0, "Lexus": 1.2, "Alfa": 0.4, "Dacia": -0.8, "Fiat": -0.4}

rng = np.random.default_rng(0)
n_cars = 800
cars = pd.DataFrame({name: rng.choice(c, n_cars) for name, c in CATEGORIES.items()})
cars["age"] = rng.uniform(0, 15, n_cars)
cars["mileage"] = 12 * cars["age"] * rng.uniform(0.5, 1.5, n_cars)
cars["photos"] = rng.poisson(6, n_cars)

electric = cars["fuel"] == "electric"
price = cars["brand"].map(WORTH).fillna(0.0) + 0.5 * electric
price -= (0.12 + 0.08 * electric) * cars["age"] + 0.004 * cars["mileage"]
price = scale(price + rng.normal(scale=0.6, size=n_cars))
X_train, X_test, y_train, y_test = train_test_split(cars, price, random_state=0)
cars.head()

# %%
# ``groups`` takes one label for each column that comes out of the encoder: here the
# name of the variable that it comes from.
encoder = make_column_transformer(
    (OneHotEncoder(sparse_output=False), list(CATEGORIES)),
    (StandardScaler(), NUMBERS),
    verbose_feature_names_out=False,
).set_output(transform="pandas")
columns = encoder.fit(X_train).get_feature_names_out()
variables = [column.split("_")[0] for column in columns]
for column, variable in list(zip(columns, variables, strict=True))[6:10]:
    print(f"{column:15} is in group {variable}")

# %%
# Train one network without groups and one with them, all else equal.
models = {}
for name, groups in {"no groups": None, "groups": variables}.items():
    network = GroupSparseMLPRegressor(
        (30,),
        lam=0.004,
        groups=groups,
        learning_rate="cosine",
        learning_rate_init=0.01,
        batch_size=64,
        max_iter=60,
        tol=0.0,
        random_state=0,
    )
    models[name] = make_pipeline(encoder, network).fit(X_train, y_train)
    kept = columns[network.get_support()]
    needed = sorted({column.split("_")[0] for column in kept})
    print(f"{name}: {len(kept)} columns of {len(needed)} variables")
    print(f"    variables: {', '.join(needed)}")
    print(f"    R^2 on the test part: {models[name].score(X_test, y_test):.3f}")

# %%
# What is left, by columns and by variables. A group has one bar; its length is the norm
# of the weights of all its columns, which are named beside it.
fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for ax, (name, model) in zip(axes, models.items(), strict=True):
    FeatureImportanceDisplay.from_estimator(model, ax=ax)
    ax.set_title(name)
plt.show()
