"""Colours for drawn widgets, taken from the theme in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.widget import Widget

ROLES = ("primary", "accent", "success", "secondary", "error", "warning")
"""The theme's colours in the order in which series take them."""
FILLS = "█░▓▒▚▞"
"""What tells series apart where there is no colour."""
_SHADES = ("", "-lighten-2", "-darken-2", "-lighten-3", "-darken-3")
_SIXTEEN = ("blue", "magenta", "green", "cyan", "red", "yellow")
"""The terminal's own colours, but for black and white, each also brighter."""
_APART = 70.0
"""The least distance of two series' colours; below it the eye takes them for one at the size of a cell."""
_CONTRAST = 2.0
"""The least contrast of a bar with its background: far below that of text, as a bar is an area."""


def distance(one: Color, other: Color) -> float:
    """How different two colours look, 0 to about 765 (the "redmean" approximation)."""
    mean = (one.r + other.r) / 2
    red, green, blue = one.r - other.r, one.g - other.g, one.b - other.b
    return float(((2 + mean / 256) * red**2 + 4 * green**2 + (2 + (255 - mean) / 256) * blue**2) ** 0.5)


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    def linear(part: int) -> float:
        x = part / 255
        return x / 12.92 if x <= 0.04045 else float(((x + 0.055) / 1.055) ** 2.4)

    return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)


def parse(variables: Mapping[str, str], name: str, default: Color) -> Color:
    """The theme variable as a colour, `default` where the theme has none of that name."""
    try:
        return Color.parse(variables[name])
    except (KeyError, ColorParseError):
        return default


def text_styles(variables: Mapping[str, str]) -> dict[str, str]:
    """Rich's styles of texts in the theme's colours for success, warning and error."""
    white = Color.parse("white")
    return {name: parse(variables, f"text-{name}", white).rich_color.name for name in ("success", "warning", "error")}


def series_colors(variables: Mapping[str, str], background: Color, foreground: Color, count: int) -> list[Color]:
    """`count` colours of the theme, each visible on the background and, while they last, unlike the others.

    Themes give one colour to two roles (accent and warning) or hide one in the background (secondary on
    black): such a role contributes a shade of itself, or nothing.
    """
    chosen: list[Color] = []

    def usable(color: Color) -> bool:
        visible = background.ansi is not None or contrast(color, background) >= _CONTRAST
        return visible and all(distance(color, other) >= _APART for other in chosen)

    def candidates() -> Iterator[Color]:
        for role in ROLES:
            shades = (parse(variables, role + shade, background) for shade in _SHADES)
            yield from (color for color in [next(filter(usable, shades), None)] if color is not None)
        for shade in _SHADES[1:]:
            for role in ROLES:
                yield parse(variables, role + shade, background)
        if background.ansi is not None:
            # Shades are none of the sixteen: these have others instead.
            yield from (Color.parse(f"ansi_{bright}{name}") for bright in ("", "bright_") for name in _SIXTEEN)

    for color in candidates():
        if len(chosen) == count:
            break
        if usable(color):
            chosen.append(color)
    if not chosen:
        chosen.append(foreground)
    return [chosen[index % len(chosen)] for index in range(count)]


@dataclass(frozen=True)
class Ink:
    """What a drawn widget writes with."""

    background: Color
    foreground: Color
    base: Style
    muted: Style
    """Labels and notes."""
    faint: Style
    """Grid lines."""
    strong: Style
    cursor: Color
    """The background of what is highlighted."""
    series: tuple[Color, ...]
    plain: bool
    """No colour is to be used: tell things apart by glyph."""

    def on(self, background: Color) -> Ink:
        """The same ink on another background."""
        return make_ink(background, self.foreground, self.series, self.plain, self.cursor)

    def fill(self, index: int) -> tuple[str, Color]:
        """The glyph and colour that fill series number `index`."""
        if self.plain:
            letters = "abcdefghijklmnopqrstuvwxyz"
            glyph = FILLS[index] if index < len(FILLS) else letters[(index - len(FILLS)) % len(letters)]
            return glyph, self.foreground
        return "█", self.series[index % len(self.series)]


def make_ink(
    background: Color, foreground: Color, series: Sequence[Color], plain: bool, cursor: Color | None = None
) -> Ink:
    """Ink for a background and foreground; series colours as given."""
    if background.ansi is not None or foreground.ansi is not None:
        text = Style(color=foreground.rich_color, bgcolor=background.rich_color)
        muted = faint = text + Style(dim=True)
        cursor = cursor or Color.parse("ansi_bright_black")
    else:
        foreground = background + foreground
        text = _style(foreground, background)
        muted = _style(background.blend(foreground, 0.62), background)
        faint = _style(background.blend(foreground, 0.16), background)
        cursor = cursor or background.blend(foreground, 0.14)
    return Ink(background, foreground, text, muted, faint, text + Style(bold=True), cursor, tuple(series), plain)


def _style(color: Color, background: Color) -> Style:
    return Style.from_color(color.rich_color, background.rich_color)


def widget_ink(widget: Widget, series: int = 1, tones: Sequence[str] = ()) -> Ink:
    """Ink for a widget as it is styled now; `tones` are theme variables for series of fixed colour."""
    _, _, background, foreground = widget.colors
    variables = widget.app.theme_variables
    colors = series_colors(variables, background, foreground, max(series, 1))
    for index, tone in enumerate(tones[: len(colors)]):
        if tone:
            colors[index] = parse(variables, tone, colors[index])
    return make_ink(background, foreground, colors, widget.app.no_color)
