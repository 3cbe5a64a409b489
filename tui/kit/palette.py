"""Colours for drawn widgets, taken from the theme in use."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.widget import Widget

from .series import REST

ROLES = ("primary", "accent", "success", "secondary", "error", "warning")
"""The theme's colours in the order in which series take them."""
FILLS = "█░▓▒▚▞"
"""What tells series apart where there is no colour."""
_REST_FILL = "·"
"""The same for all the others together."""
_SHADES = ("", "-lighten-2", "-darken-2", "-lighten-3", "-darken-3")
_SIXTEEN = ("blue", "magenta", "green", "cyan", "red", "yellow")
"""The terminal's own colours, but for black and white, each also brighter."""
_APART = 70.0
"""The least distance of two series' colours; below it the eye takes them for one at the size of a cell."""
_HUES, _HUES_APART, _GREY = 24, 0.075, 0.12
"""Hues that are tried where a theme has too few, the least distance of two, and the saturation that has one."""
_SLOTS = 7
"""How many colours what keeps its own chooses from: as many as no theme makes look alike."""
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


def _hues_apart(one: Color, other: Color) -> float:
    """How far apart two hues are on their circle, 0 to 0.5."""
    apart = abs(one.hsl.h - other.hsl.h)
    return min(apart, 1 - apart)


def _hues(variables: Mapping[str, str], background: Color) -> Iterator[Color]:
    """The theme's colours and shades, then hues that it lacks; none of a terminal's own or of a theme without any."""
    first = parse(variables, ROLES[0], background)
    if background.ansi is None and first != background:
        yield from (parse(variables, role + shade, background) for shade in _SHADES for role in ROLES)
        hue, saturation, _ = first.hsl
        for lightness in (0.5, 0.35, 0.65):
            for step in range(1, _HUES):
                yield Color.from_hsl((hue + step / _HUES) % 1, min(max(saturation, 0.45), 0.75), lightness)


def series_colors(variables: Mapping[str, str], background: Color, foreground: Color, count: int) -> list[Color]:
    """`count` colours of the theme, each visible on the background and, while they last, unlike the others.

    Themes give one colour to two roles (accent and warning), have four blues, or hide one in the background (secondary
    on black): such a role contributes nothing, or a shade of itself, after hues that are missing.
    """
    chosen: list[Color] = []

    def usable(color: Color) -> bool:
        visible = background.ansi is not None or contrast(color, background) >= _CONTRAST
        return visible and all(distance(color, other) >= _APART for other in chosen)

    def is_new_hue(color: Color) -> bool:
        return color.hsl.s >= _GREY and all(_hues_apart(color, other) >= _HUES_APART for other in chosen)

    def candidates() -> Iterator[Color]:
        # First what nobody takes for another, whatever the theme makes of its roles: then shades of them.
        yield from filter(is_new_hue, _hues(variables, background))
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
    rest: int | None = None
    """Which series is all the others together."""

    def on(self, background: Color) -> Ink:
        """The same ink on another background."""
        return replace(make_ink(background, self.foreground, self.series, self.plain, self.cursor), rest=self.rest)

    def fill(self, index: int) -> tuple[str, Color]:
        """The glyph and colour that fill series number `index`."""
        if self.plain:
            if index == self.rest:
                return _REST_FILL, self.foreground
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


def placed(colors: Sequence[Color], places: Sequence[int | None]) -> list[Color]:
    """A colour for each place, the same wherever it is shown; who finds his taken here, and None, has one left over."""
    free = list(dict.fromkeys(colors))
    chosen: dict[int, Color] = {}
    for index, place in enumerate(places):
        wanted = None if place is None else colors[place % len(colors)]
        if wanted in free:
            chosen[index] = wanted
            free.remove(wanted)
    left = itertools.chain(free, itertools.cycle(colors))
    return [chosen[index] if index in chosen else next(left) for index in range(len(places))]


def widget_ink(
    widget: Widget, series: int = 1, tones: Sequence[str] = (), places: Sequence[int | None] | None = None
) -> Ink:
    """Ink for a widget as it is styled now.

    `tones` are theme variables for series of fixed colour, `places` numbers of what keeps its colour in every chart.
    """
    _, _, background, foreground = widget.colors
    variables = widget.app.theme_variables
    if places and any(place is not None for place in places):
        colors = placed(series_colors(variables, background, foreground, max(len(places), _SLOTS)), places)
    else:
        colors = series_colors(variables, background, foreground, max(series, 1))
    rest = None
    for index, tone in enumerate(tones[: len(colors)]):
        if tone == REST:
            rest, colors[index] = index, grey(background, foreground, is_dark=widget.app.current_theme.dark)
        elif tone:
            colors[index] = parse(variables, tone, colors[index])
    return replace(make_ink(background, foreground, colors, widget.app.no_color), rest=rest)


def grey(background: Color, foreground: Color, *, is_dark: bool) -> Color:
    """The colour of what is no series of its own; of a terminal's own colours, white or black.

    Not that of its texts: behind a text that is the colour of the screen. Nor the grey of what is highlighted.
    """
    if background.ansi is not None or foreground.ansi is not None:
        return Color.parse("ansi_white" if is_dark else "ansi_black")
    return background.blend(background + foreground, 0.5)
