from __future__ import annotations

import json
from html.parser import HTMLParser
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from rollsignal.messages import escaped
from rollsignal.report.markup import Markup, element, escape, script_json, together

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</script><script>alert(1)</script>",
    "<!--",
    "]]>",
    "=1+1",
    "a\u202eb\u2066c\x00\x1b[2J\r\n",
    "\ud800",
    "&lt;",
]


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@given(st.one_of(st.sampled_from(HOSTILE), st.text()))
def test_a_browser_reads_a_text_again_in_an_element_and_in_an_attribute(text: str) -> None:
    reader = read(element("p", text, title=text + "."))
    assert reader.tags == [("p", [("title", escaped(text + "."))])]
    assert reader.text == escaped(text)


@given(st.one_of(st.sampled_from(HOSTILE), st.text()))
def test_a_picture_by_itself_is_xml_with_the_same_text(text: str) -> None:
    tree = ElementTree.fromstring(element("text", text, x=1, id=text))
    assert (tree.text or "", tree.get("id", "")) == (escaped(text), escaped(text))


@given(st.one_of(st.sampled_from(HOSTILE), st.text()))
def test_a_script_of_json_has_the_same_text_and_nothing_that_ends_it(text: str) -> None:
    written = script_json({text: [text, 1, None]})
    assert not set("<>&") & set(written)
    assert json.loads(written) == {escaped(text): [escaped(text), 1, None]}


def test_control_characters_and_marks_of_direction_are_shown_by_their_escapes() -> None:
    assert escape("a\u202eb\x1b\n") == "a\\u202eb\\x1b\\n"


def test_markup_is_not_escaped_twice() -> None:
    assert element("p", element("b", "R&D")) == "<p><b>R&amp;D</b></p>"
    assert together("<", Markup("<br>")) == "&lt;<br>"


def test_attributes_are_spelled_as_html_has_them_and_those_without_a_value_are_left_out() -> None:
    made = element("th", "n", class_="num", data_key="a", aria_sort=None, hidden="")
    assert made == '<th class="num" data-key="a" hidden="">n</th>'


def test_elements_without_content_have_no_end() -> None:
    assert element("br") == "<br>"
    assert element("path", d="M0 0") == '<path d="M0 0"/>'
