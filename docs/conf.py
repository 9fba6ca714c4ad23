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
html_title = f"anabranch {release}"
html_copy_source = False
html_show_sphinx = False
highlight_language = "text"

# The API reference is read from the doc comments of the public headers.
hawkmoth_root = str(TOP / "include" / "anabranch")
GCC = subprocess.run(["gcc", "-print-file-name=include"], check=True, capture_output=True, text=True).stdout.strip()
hawkmoth_clang = ["-I" + str(TOP / "include"), "-isystem" + GCC, "-std=c11"]
hawkmoth_autoconf = []
suppress_warnings = ["misc.highlighting_failure"]
hawkmoth_transform_default = "javadoc"
