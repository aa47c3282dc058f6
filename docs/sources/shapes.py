"""Boxes, labels and arrows, as SVG.

They are placed by hand: whoever draws says where, and nothing moves by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final, Literal

Kind = Literal["outside", "api", "identity", "data", "verify", "audit", "watch", "before"]
Flow = Literal["call", "bytes", "event", "record", "copy"]

# Fill, line and heading of each kind of box.
_COLOURS: Final[dict[Kind, tuple[str, str, str]]] = {
    "outside": ("#ffffff", "#5b6577", "#1f2937"),
    "api": ("#eef3fb", "#4a6fa5", "#23406b"),
    "identity": ("#f3effa", "#7a62a8", "#4a3678"),
    "data": ("#ebf6f0", "#3d8361", "#1f5a40"),
    "verify": ("#fbf4e8", "#b0843c", "#75521a"),
    "audit": ("#fbeeee", "#ad5c5c", "#7a3030"),
    "watch": ("#f1f3f5", "#7b8694", "#3b4450"),
    "before": ("#f1f3f5", "#7b8694", "#3b4450"),
}
# Colour, width and dashes of each kind of arrow.
_LINES: Final[dict[Flow, tuple[str, float, str]]] = {
    "call": ("#33415c", 1.8, ""),
    "bytes": ("#2f7d57", 5, ""),
    "event": ("#b0843c", 2, ""),
    "record": ("#ad5c5c", 1.8, ""),
    "copy": ("#3d8361", 2, "7 5"),
}
_LINE_HEIGHT: Final = 21
_INK, _FAINT, _SLATE = "#1f2937", "#566072", "#33415c"


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the system: a heading, and what there is to say of it."""

    kind: Kind
    x: int
    y: int
    width: int
    height: int
    title: str
    lines: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    dashed: bool = False

    def svg(self) -> str:
        """The box, its heading at the top left, its lines below."""
        fill, line, heading = _COLOURS[self.kind]
        dashes = ' stroke-dasharray="7 5"' if self.dashed else ""
        drawn = [
            _rectangle(self, 9, f'fill="{fill}" stroke="{line}"{dashes}'),
            _text(self.x + 14, self.y + 29, self.title, size=20, colour=heading, weight=600),
        ]
        drawn += [
            _text(self.x + 14, self.y + 54 + number * _LINE_HEIGHT, words, size=16.5)
            for number, words in enumerate(self.lines)
        ]
        return "\n".join(drawn)


@dataclass(frozen=True, slots=True)
class Frame:
    """What boxes stand in: a border and a name."""

    x: int
    y: int
    width: int
    height: int
    title: str

    def svg(self) -> str:
        """The frame, its name inside at the top left."""
        return "\n".join(
            (
                _rectangle(self, 16, 'fill="#fbfcfe" stroke="#b6c0cf"'),
                _text(self.x + 20, self.y + 33, self.title, size=19, colour=_FAINT, weight=600),
            )
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """The number of a step, on its arrow."""

    x: int
    y: int
    number: int

    def svg(self) -> str:
        """A filled circle with the number in it."""
        centre = f'cx="{self.x}" cy="{self.y}"'
        return "\n".join(
            (
                f'<circle {centre} r="15" fill="{_SLATE}" stroke="#ffffff" stroke-width="2.5"/>',
                _text(
                    self.x, self.y + 6, str(self.number), size=16, colour="#ffffff", weight=600, middle=True
                ),
            )
        )


@dataclass(frozen=True, slots=True)
class Label:
    """Words by themselves, behind the number of a step if they tell of one."""

    x: int
    y: int
    words: str
    number: int = 0
    size: float = 18.5

    def svg(self) -> str:
        """One line."""
        if not self.number:
            return _text(self.x, self.y, self.words, size=self.size, weight=600)
        mark = Mark(self.x + 15, self.y - 6, self.number)
        return f"{mark.svg()}\n{_text(self.x + 42, self.y, self.words, size=self.size)}"


@dataclass(frozen=True, slots=True)
class Arrow:
    """A line through points, with a head at its end, and one at its beginning if it goes both ways."""

    flow: Flow
    points: tuple[tuple[int, int], ...]
    both: bool = False

    def svg(self) -> str:
        """The line, its corners rounded."""
        colour, width, dashes = _LINES[self.flow]
        dashing = f' stroke-dasharray="{dashes}"' if dashes else ""
        start = f' marker-start="url(#{self.flow})"' if self.both else ""
        return (
            f'<path d="{_rounded(self.points)}" fill="none" stroke="{colour}" stroke-width="{width}"'
            f'{dashing}{start} marker-end="url(#{self.flow})"/>'
        )


def picture(
    width: int,
    height: int,
    title: str,
    description: str,
    parts: tuple[Frame | Arrow | Box | Mark | Label, ...],
) -> str:
    """A whole picture; later parts lie over earlier ones."""
    heads = "\n".join(_head(flow) for flow in _LINES)
    drawn = "\n".join(part.svg() for part in parts)
    size = f'width="{width}" height="{height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size}'
        f' font-family="Source Sans Pro, sans-serif">\n'
        f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n"
        f"<defs>\n{heads}\n</defs>\n"
        f'<rect {size} fill="#ffffff"/>\n{drawn}\n</svg>\n'
    )


def _rectangle(of: Box | Frame, radius: int, look: str) -> str:
    where = f'x="{of.x}" y="{of.y}" width="{of.width}" height="{of.height}" rx="{radius}"'
    return f'<rect {where} {look} stroke-width="1.5"/>'


def _head(flow: Flow) -> str:
    colour, width, _ = _LINES[flow]
    size = round(9 + 2.4 * width, 1)
    return (
        f'<marker id="{flow}" viewBox="0 0 10 10" refX="8.5" refY="5" markerUnits="userSpaceOnUse"'
        f' markerWidth="{size}" markerHeight="{size}" orient="auto-start-reverse">'
        f'<path d="M0 0.8 10 5 0 9.2z" fill="{colour}"/></marker>'
    )


def _rounded(points: tuple[tuple[int, int], ...], radius: int = 12) -> str:
    """The path through the points: straight, with a quarter of a circle at each corner."""
    (x, y), *rest = points
    path = [f"M{x} {y}"]
    for number, (cx, cy) in enumerate(rest[:-1]):
        nx, ny = rest[number + 1]
        path.append(f"L{_towards(cx, x, radius)} {_towards(cy, y, radius)}")
        path.append(f"Q{cx} {cy} {_towards(cx, nx, radius)} {_towards(cy, ny, radius)}")
        x, y = cx, cy
    path.append(f"L{rest[-1][0]} {rest[-1][1]}")
    return " ".join(path)


def _towards(corner: int, other: int, radius: int) -> int:
    """From the corner a step towards another point, along one axis."""
    return corner + max(-radius, min(radius, other - corner))


def _text(
    x: int,
    y: int,
    words: str,
    *,
    size: float,
    colour: str = _INK,
    weight: int = 400,
    middle: bool = False,
) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}"{anchor}>'
        f"{escape(words)}</text>"
    )
