"""The data sets of the evidence, from a folder or from the web.

The rows of a data set called ``name`` (sdd, covtype, mnist) are read from
``<data_home>/<name>.npz`` where there is such a file, which may be a sample; `DESCR`
says how many of the original rows it holds. Where there is none, the original is
downloaded into `data_home`. Types, labels and names of columns are the same either way.
"""

from skgroupnet.datasets.covertype import fetch_covertype
from skgroupnet.datasets.mnist import fetch_mnist
from skgroupnet.datasets.sensorless import fetch_sensorless

__all__ = ["fetch_covertype", "fetch_mnist", "fetch_sensorless"]
