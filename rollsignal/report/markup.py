"""This module writes HTML and SVG: the one place where a text becomes a part of a page.

A text is escaped unless its type says that it is markup already, so none can be forgotten.
"""

import html
import json
from typing import Any

from rollsignal.messages import escaped


class Markup(str):
    """Text that is HTML or SVG already."""

    __slots__ = ()


# What may stand in a page: text, markup, numbers, and nothing.
Content = str | int | None

# What ends a script or begins a comment in one, as JSON writes it inside of strings.
_IN_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_EMPTY = frozenset({"br", "circle", "col", "input", "line", "meta", "path", "rect"})


def escape(text: str) -> Markup:
    r"""Return a text as HTML: as content, in an attribute with quotes, or in SVG.

    Line ends, control characters, marks that turn the direction of writing, and characters that no
    file can hold are shown by their escapes.

    >>> print(escape('<b title="x">\u202e'))
    &lt;b title=&quot;x&quot;&gt;\u202e
    """
    return Markup(html.escape(escaped(text), quote=True))


def element(name: str, /, *children: Content, **attributes: Content) -> Markup:
    """Return an element; what is not markup is escaped.

    An underscore in the name of an attribute is a hyphen, one at its end is left out. An attribute
    of None is left out, one that only has to be there is empty.

    >>> print(element("a", "R&D", href="#x", class_=None))
    <a href="#x">R&amp;D</a>
    """
    opened = name + "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_content(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Markup(f"<{opened}>" if name in ("br", "col", "input", "meta") else f"<{opened}/>")
    return Markup(f"<{opened}>{together(*children)}</{name}>")


def together(*children: Content) -> Markup:
    """Return contents one after the other; what is not markup is escaped."""
    return Markup("".join(map(_content, children)))


def _content(child: Content) -> str:
    if child is None:
        return ""
    return child if isinstance(child, Markup) else escape(str(child))


def script_json(document: Any) -> Markup:
    r"""Return a document as the content of a script element of JSON.

    Its texts are shown as `escape` shows them; the browser puts them into a page as text only.

    >>> print(script_json(["</script>\x07"]))
    ["\u003c/script\u003e\\x07"]
    """
    text = json.dumps(_visible(document), allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_IN_SCRIPT))


def _visible(document: Any) -> Any:
    if isinstance(document, str):
        return escaped(document)
    if isinstance(document, dict):
        return {_visible(name): _visible(value) for name, value in document.items()}
    return list(map(_visible, document)) if isinstance(document, list | tuple) else document
