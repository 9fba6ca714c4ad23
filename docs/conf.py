"""The manual: `make site` installs what Sphinx needs and runs it (tools/site)."""
import os
import pathlib
import re
import subprocess

TOP = pathlib.Path(os.environ["ANB_TOP"])

project = "anabranch"
author = "the anabranch developers"
copyright = "the anabranch developers, GPL-3.0-or-later"
release = re.search(r"version: '([^']+)'", (TOP / "meson.build").read_text()).group(1)
extensions = ["myst_parser", "hawkmoth", "hawkmoth.ext.javadoc"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_static_path = ["wide.css"]
html_css_files = ["wide.css"]
html_title = f"anabranch {release}"
html_copy_source = False
html_show_sphinx = False
highlight_language = "text"

# The API reference is read from the doc comments of the public headers.
hawkmoth_root = str(TOP / "include" / "anabranch")
GCC = subprocess.run(["gcc", "-print-file-name=include"], check=True, capture_output=True, text=True).stdout.strip()
hawkmoth_clang = ["-I" + str(TOP / "include"), "-isystem" + GCC, "-std=c11"]
hawkmoth_autoconf = []
suppress_warnings = ["misc.highlighting_failure", "myst.header"]
hawkmoth_transform_default = "javadoc"
default_role = "code"


def plain(app, lines, transform, options):
    """Comments are plain text with indented formulas and `code`, not reStructuredText: what would be markup is
    escaped."""
    lines[:] = [re.sub(r"^ \* ?", "", line) for line in lines]
    texts = [line for line in lines[1:] if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in texts), default=0)
    lines[:] = [lines[0].strip()] + [line[margin:].rstrip() for line in lines[1:]] if lines else []
    out, literal, field = [], False, False
    for line in lines:
        indented = line.startswith("    ") and not field
        field = line.startswith("@") or (field and line.startswith(" "))
        if indented and not literal:
            out += ["", "::", ""]
        if literal and not indented and line:
            out += [""]
        literal = indented or (literal and not line)
        out.append(line if literal else re.sub(r"([|*]|_\b)", r"\\\1", line))
    lines[:] = out


def setup(app):
    app.connect("hawkmoth-process-docstring", plain, priority=100)
