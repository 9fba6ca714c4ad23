#!/usr/bin/env python3
"""The links of the pages in the tree: links_test.py SOURCE

A link to a file leads to one, and to a heading that is there; docs/api/NAME is made of the header NAME.h. A link to the
web is well-formed; whether anybody answers there is not asked. The built site is checked by tools/site.
"""
import pathlib
import re
import sys
import urllib.parse

TOP = pathlib.Path(sys.argv[1]).resolve()
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^()\s>]+(?:\([^()\s]*\))?)>?\s*\)")
BARE = re.compile(r"https?://[^\s)>`'\"]+")
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


def pages():
    skipped = {"build", "subprojects", ".git"}
    for path in sorted(TOP.rglob("*.md")):
        parts = path.relative_to(TOP).parts
        if not any(part in skipped or part.startswith("build") for part in parts):
            yield path


def prose(path):
    """The text without blocks of code, whose brackets are no links."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.S | re.M)
    return re.sub(r"^(?: {4}|\t).*$", "", re.sub(r"`[^`\n]*`", "`x`", text), flags=re.M)


def slugs(path):
    """The anchors of a page's headings, as GitHub and MyST make them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.S | re.M)
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*$", text, re.M):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def leads_somewhere(page, url):
    to = (page.parent / urllib.parse.unquote(url.path)).resolve() if url.path else page
    if to.parent == TOP / "docs" / "api" and not to.exists():
        return (TOP / "include" / "anabranch" / f"{to.stem}.h").exists()
    if not to.exists():
        return False
    return not url.fragment or (to.suffix == ".md" and url.fragment in slugs(to))


def well_formed(link):
    url = urllib.parse.urlsplit(link)
    host = url.hostname or ""
    return url.scheme in ("http", "https") and (HOST.fullmatch(host) or host in ("localhost", "127.0.0.1"))


def main():
    wrong, count = [], 0
    for page in pages():
        text = prose(page)
        for link in set(LINK.findall(text)) | set(BARE.findall(text)):
            count += 1
            url = urllib.parse.urlsplit(link)
            if not (well_formed(link) if url.scheme or url.netloc else leads_somewhere(page, url)):
                wrong.append(f"{page.relative_to(TOP)}: {link}")
    print(*wrong, f"{count} links, {len(wrong)} of them wrong", sep="\n")
    return 1 if wrong or count < 50 else 0


sys.exit(main())
