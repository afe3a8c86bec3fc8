"""Pictures of plugins made safe for the page: a closed set of shapes and attributes, without styles, scripts or links.

A content security policy that allows one style sheet by its hash forbids `style` attributes, which is how drawing
libraries write SVG; they are turned into attributes of their own here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from adjudge.report.text import visible

_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_ELEMENTS = {"g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "defs", "use"}
_ELEMENTS |= {"clipPath"}
_ATTRIBUTES = {
    "d", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "width", "height", "points", "transform", "id",
    "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray",
    "stroke-dashoffset", "stroke-linejoin", "stroke-linecap", "stroke-miterlimit", "opacity", "font-size",
    "font-weight", "font-style", "text-anchor", "dominant-baseline", "clip-path",
}  # fmt: skip
_PLAIN = re.compile(r"[-+\w\s.,;%#()]*")
_FRAGMENT = re.compile(r"#[\w-]+")
_FONT = re.compile(r"(?:(?:normal|italic|oblique)\s+)*(?P<weight>\d{3}|bold)?\s*(?P<size>[\d.]+)px")


def safe_svg(text: str, prefix: str, label: str) -> ET.Element:
    """The picture, rebuilt of what is allowed.

    Args:
        text: SVG.
        prefix: Put before ids, which are the page's own and must differ between pictures.
        label: What it shows, for who cannot see it.

    Raises:
        ValueError: It is no SVG.
    """
    try:
        root = ET.fromstring(_without_doctype(text))  # noqa: S314 - entities are declared in the doctype, cut off
    except ET.ParseError as error:
        raise ValueError(f"a plot is no SVG ({error})") from error
    if root.tag != f"{_SVG}svg":
        raise ValueError("a plot is no SVG (its root is another element)")
    found = ET.Element("svg", {"role": "img", "aria-label": visible(label), "class": "plot"})
    found.set("viewBox", _kept(root.get("viewBox", "0 0 100 100")))
    found.extend(_children(root, prefix))
    return found


def _without_doctype(text: str) -> str:
    return re.sub(r"<!DOCTYPE[^>\[]*(?:\[[^\]]*\])?[^>]*>", "", text, count=1)


def _children(element: ET.Element, prefix: str) -> Iterator[ET.Element]:
    for child in element:
        name = child.tag.removeprefix(_SVG) if isinstance(child.tag, str) else ""
        if name in _ELEMENTS:
            made = ET.Element(name, dict(_attributes(child, prefix)))
            made.text = visible(child.text) if child.text else None
            made.extend(_children(child, prefix))
            made.tail = visible(child.tail) if child.tail else None
            yield made


def _attributes(element: ET.Element, prefix: str) -> Iterator[tuple[str, str]]:
    given = dict(element.attrib)
    for rule in given.pop("style", "").split(";"):
        name, _, value = rule.partition(":")
        given |= _font(value) if name.strip() == "font" else {name.strip(): value.strip()}
    if (target := given.get(f"{_XLINK}href") or given.get("href")) and _FRAGMENT.fullmatch(target):
        yield "href", f"#{prefix}{target[1:]}"
    for name, value in given.items():
        if name == "id":
            yield name, f"{prefix}{_kept(value)}"
        elif name == "clip-path" and (place := re.fullmatch(r"url\(#([\w-]+)\)", value)):
            yield name, f"url(#{prefix}{place[1]})"
        elif name in _ATTRIBUTES and _PLAIN.fullmatch(value) and "url" not in value.lower():
            yield name, value


def _font(value: str) -> dict[str, str]:
    """Size and weight of the shorthand `font`, which is no attribute."""
    found = _FONT.search(value)
    if found is None:
        return {}
    return {"font-size": found["size"], **({"font-weight": found["weight"]} if found["weight"] else {})}


def _kept(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else ""
