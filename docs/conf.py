"""Sphinx: the documentation is Markdown (MyST), pages under reference/ are generated."""

project = "mailforensics"
author = "The mailforensics authors"
extensions = ["myst_nb"]
html_theme = "furo"
exclude_patterns = ["_build"]
nb_execution_mode = "off"
