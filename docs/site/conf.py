"""How Sphinx builds the site; `.ci/docs` calls it with warnings as errors."""

from pathlib import Path

import rainier_fast as rf

project = "rainier_fast"
version = release = rf.__version__
author = "the authors of rainier_fast"
html_title = f"rainier_fast {release}"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
templates_path = [str(Path(__file__).parent / "templates")]
exclude_patterns = ["site", "pictures"]
html_theme = "furo"
html_show_sourcelink = False
html_show_copyright = False
myst_heading_anchors = 4
autosummary_generate = True
autosummary_imported_members = True
autodoc_typehints = "none"  # the text of a docstring says what is taken
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
# A docstring marks names as `name`, of which many are columns, arguments or words.
default_role = "code"
# Fields that many classes have (kind, source) are looked up by their bare name; any of them will do.
suppress_warnings = ["ref.python"]
