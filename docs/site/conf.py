"""The site of these pages, made by ``make docs``; every warning is an error there."""

import re
from importlib import metadata
from pathlib import Path

project = "memwrap"
author = "the memwrap authors"
project_copyright = author
release = metadata.version("memwrap")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["README.md"]
html_theme = "furo"
html_title = f"memwrap {release}"

myst_heading_anchors = 3  # pages name headings of others, as code hosts do
myst_enable_extensions = ["colon_fence"]

autodoc_typehints = "description"
autodoc_member_order = "bysource"
autoclass_content = "class"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_use_ivar = True
# Single backticks of docstrings name things here, or are code.
default_role = "code"


def write_llms(app, error):
    """Write ``llms.txt``: each page, with the sentence that the index has of it."""
    if error is None:
        index = (Path(app.srcdir) / "index.md").read_text(encoding="utf-8")
        pages = re.findall(r"^\| \[(.+?)\]\((.+?)\.md\) \| (.+?) \|$", index, re.MULTILINE)
        lines = [f"- [{title}](_sources/{name}.md.txt): {what}" for title, name, what in pages]
        head = "# memwrap\n\n> Session memory for any agent.\n\n## Pages\n\n"
        text = head + "\n".join(lines) + "\n"
        (Path(app.outdir) / "llms.txt").write_text(text, encoding="utf-8")


def setup(app):
    """Let the site have what programs read beside what people read."""
    app.connect("build-finished", write_llms)
