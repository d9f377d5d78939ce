"""This module reads a page as a browser does, and checks what holds for every page."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import NamedTuple

VOID = {"meta", "br", "input", "col"}


class Tag(NamedTuple):
    """An element: its name, its attributes, and the names of those that it is in."""

    name: str
    attributes: dict[str, str]
    inside: tuple[str, ...]


class ReadPage(HTMLParser):
    """The elements and texts of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[Tag] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        self.tags.append(Tag(tag, {k: v or "" for k, v in attrs}, tuple(self._open)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(Tag(tag, {k: v or "" for k, v in attrs}, tuple(self._open)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def named(self, name: str) -> list[Tag]:
        """Return the elements of a name."""
        return [tag for tag in self.tags if tag.name == name]

    def text_of(self, name: str) -> list[str]:
        """Return the texts that stand directly in the elements of a name."""
        return [text for tag, text in self.texts if tag == name]

    @property
    def text(self) -> str:
        """Return all that people can read."""
        return " ".join(text for tag, text in self.texts if tag not in ("script", "style"))


def checked(html: str) -> ReadPage:
    """Read a page; it must be safe, complete and well-formed."""
    page = ReadPage(html)
    _check_links(page)
    _check_safety(page)
    levels = [int(tag.name[1]) for tag in page.tags if re.fullmatch("h[1-6]", tag.name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(new <= old + 1 for old, new in pairwise(levels))
    for number, tag in enumerate(page.tags):
        if tag.name == "svg" and tag.attributes.get("role") == "img":
            inner = [each.name for each in page.tags[number + 1 : number + 3]]
            assert inner == ["title", "desc"]
            assert re.fullmatch(r"0 0 \d+ \d+", tag.attributes["viewbox"])
    return page


def _check_links(page: ReadPage) -> None:
    ids = [tag.attributes["id"] for tag in page.tags if "id" in tag.attributes]
    assert len(ids) == len(set(ids))
    for tag in page.tags:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set(tag.attributes.get(name, "").split()) <= set(ids)
        if "href" in tag.attributes:
            assert tag.attributes["href"].removeprefix("#") in ids


def _check_safety(page: ReadPage) -> None:
    """Check that nothing is fetched, and that nothing runs but the scripts of the program."""
    for tag in page.tags:
        assert tag.name not in {"img", "iframe", "object", "embed", "link", "base", "form"}
        assert not {"src", "style", "srcset", "action"} & tag.attributes.keys()
        assert not [name for name in tag.attributes if name.startswith("on")]
    metas = [tag.attributes for tag in page.named("meta")]
    policy = next(meta["content"] for meta in metas if "http-equiv" in meta)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy
    kinds = [tag.attributes.get("type") for tag in page.named("script")]
    scripts = zip(kinds, page.text_of("script"), strict=True)
    code = [text for kind, text in scripts if kind is None]
    assert rules.get("script-src", "").split() == [hashed(text) for text in code]
    assert rules["style-src"].split() == [hashed(text) for text in page.text_of("style")]


def hashed(text: str) -> str:
    """Return the hash of a script as a policy has it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
