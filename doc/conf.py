"""How sphinx builds the documentation."""

import re

import skgroupnet

project = "skgroupnet"
author = "skgroupnet developers"
project_copyright = "skgroupnet developers, BSD-3-Clause"
version = release = skgroupnet.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
default_role = "code"
smartquotes = False
add_module_names = False

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "skgroupnet"
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": False, "show_toc_level": 2}


def escape_types(app, what, name, obj, options, lines):
    """Keep a name in a type that ends in _, n_features_in_ say, from being a link."""
    for number, line in enumerate(lines):
        label, colon, kind = line.partition("** : ")
        lines[number] = label + colon + re.sub(r"(?<=\w)_(?!\w)", r"\\_", kind)


def unlink(app, what, name, obj, options, lines):
    """Keep the text only of links into scikit-learn's glossary and user guide."""
    for number, line in enumerate(lines):
        line = re.sub(r":term:(`[^`]+`)", r"`\1`", line)
        lines[number] = re.sub(r":ref:`([^`<]+?)(?: <[^`]*>)?`", r"\1", line)


def setup(app):
    # After numpydoc, which has the default priority, 500.
    for edit in (escape_types, unlink):
        app.connect("autodoc-process-docstring", edit, priority=600)
