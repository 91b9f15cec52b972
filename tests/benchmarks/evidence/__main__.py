"""The evidence: one command per table, results as CSV and pictures.

::

    python -m tests.benchmarks.evidence tradeoff
    python -m tests.benchmarks.evidence tradeoff --quick --out results

Tables: ``report`` (the experiments of Chen et al. 2020), ``tradeoff`` (accuracy against
size, all penalties and peers), ``goals`` (the best penalty, trained for longer),
``lenet`` (MNIST 784-300-100-10), ``gains`` (file size, time and memory),
``preprocessing``. The data come from the ``data_home`` of
`skgroupnet.datasets`, which ``--data`` or SKGROUPNET_DATA names. Install ".[dev]".
"""

import argparse
import os
import time
from importlib import import_module
from pathlib import Path

from tests.benchmarks.evidence.results import Settings, write

TABLES = ("report", "tradeoff", "goals", "lenet", "gains", "preprocessing")
OUT = Path(__file__).parents[3] / "doc" / "results"


def main(arguments=None):
    """Run one table, or draw it from its CSV files."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.evidence", description=__doc__.split("\n")[0]
    )
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--quick", action="store_true", help="small, on the digits")
    parser.add_argument("--draw", action="store_true", help="only draw the pictures")
    parser.add_argument("--data", default=os.environ.get("SKGROUPNET_DATA"))
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--jobs", type=int, default=2, help="threads")
    asked = parser.parse_args(arguments)

    module = import_module(f"tests.benchmarks.evidence.{asked.table}")
    asked.out.mkdir(parents=True, exist_ok=True)
    if not asked.draw:
        start = time.perf_counter()
        settings = Settings(asked.quick, asked.data, asked.jobs)
        for name, table in module.run(settings).items():
            write(table, asked.out / f"{name}.csv")
        print(f"{asked.table}: {(time.perf_counter() - start) / 60:.1f} minutes")
    module.draw(asked.out)


if __name__ == "__main__":
    main()
