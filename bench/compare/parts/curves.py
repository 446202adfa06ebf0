"""Small plots of how something grows, as SVG: both axes linear, so that what grows in proportion is a straight line."""

WIDTH, HEIGHT, LEFT, MARGIN = 420, 260, 70, 40

STYLE = ('text{font:12px sans-serif;fill:#222}.t{font-weight:bold;font-size:14px}.x{fill:none;stroke:#888}'
         'polyline{fill:none;stroke:#1f6f8b;stroke-width:2}.d{stroke:#b8bec4;stroke-dasharray:3}circle{fill:#1f6f8b}')


def _curve(number, title, unit, points, name_x):
    """One plot at its place in two columns. The dashed line goes through zero and the first point."""
    x0, y0 = (number % 2) * (WIDTH + LEFT) + LEFT, (number // 2) * (HEIGHT + 2 * MARGIN) + MARGIN
    x_max, y_max = max(x for x, _ in points), max(y for _, y in points) or 1
    places = [(x0 + WIDTH * x / x_max, y0 + HEIGHT * (1 - y / y_max)) for x, y in [(0, 0), *points]]
    line = ' '.join(f'{x:.1f},{y:.1f}' for x, y in places[1:])
    shapes = [f'<text x="{x0}" y="{y0 - 14}" class="t">{title}, {unit}</text>',
              f'<path d="M{x0} {y0}V{y0 + HEIGHT}H{x0 + WIDTH}" class="x"/>',
              f'<line x1="{places[0][0]:.1f}" y1="{places[0][1]:.1f}" x2="{places[1][0]:.1f}" y2="{places[1][1]:.1f}" '
              'class="d"/>',
              f'<polyline points="{line}"/>']
    for (x, y), (px, py) in zip(points, places[1:]):
        shapes.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3"/>'
                      f'<text x="{px - 4:.1f}" y="{py - 7:.1f}" text-anchor="end">{y:.3g}</text>'
                      f'<text x="{px:.1f}" y="{y0 + HEIGHT + 16}" text-anchor="end">{name_x(x)}</text>')
    return shapes


def chart(curves, name_x):
    """`curves` are (title, unit, [(x, y)...]); `name_x` writes an x below the axis."""
    shapes = []
    for number, (title, unit, points) in enumerate(curves):
        shapes += _curve(number, title, unit, points, name_x)
    width = 2 * (WIDTH + LEFT) + 20
    height = (len(curves) + 1) // 2 * (HEIGHT + 2 * MARGIN)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><style>{STYLE}</style>'
            f'<rect width="{width}" height="{height}" fill="#fff"/>\n' + '\n'.join(shapes) + '\n</svg>\n')
