"""Writes what was measured: JSON with every sample, a Markdown page, and an SVG chart."""
import dataclasses
import html
import json
import os
import statistics

from .rows import DD_READ, ROWS
from .small import READY_SECONDS_MAX, ROCKSDB
from .views import ORIGINAL

# (row, peer, at least so many times as fast, stretch). A ratio is the peer's time divided by asl's.
GOALS = [
    ('ingest', 'borg', 3, 4),
    ('ingest', 'restic', 4, 5),
    ('ingest', 'kopia', 4, 5),
    ('ingest', 'cp -a && sync', 3, None),
    ('image', 'dd direct in and out', 0.85, None),
    ('again', 'restic', 2, None),
    ('again', 'kopia', 1.3, None),
    ('restore', 'restic', 2, None),
    ('restore', 'rustic', 1.5, None),
    ('restore', 'cp -a && sync', 2, None),
    ('scrub', DD_READ, 0.9, None),
    ('find', 'squashfuse_ll', 3, None),
    ('read', 'squashfuse_ll', 2, None),
    ('sequential', ORIGINAL, 0.8, None),
    ('sequential-warm', ORIGINAL, 0.95, None),
    ('artifacts', ROCKSDB, 2, None),
]
RSS_MAX_BYTES = 512 << 20


def seconds_of(samples):
    return [sample.seconds for sample in samples]


def result(suite, machine, data, versions, notes):
    """Everything as plain values, the form of the JSON file."""
    rows = {}
    for row in (row for row in ROWS if row in suite.samples):
        by_peer = suite.samples[row]
        ours = suite.median(row, 'asl')
        rows[row] = {}
        for name, samples in by_peer.items():
            median = suite.median(row, name)
            rows[row][name] = {
                'median_s': round(median, 3),
                'times_asl': round(median / ours, 3) if ours else None,
                'rss_max_bytes': max(sample.rss_max_bytes for sample in samples),
                'cpu_s': round(statistics.median(sample.user_s + sample.system_s for sample in samples), 3),
                'samples': [dataclasses.asdict(sample) for sample in samples],
                'commands': suite.commands[row][name],
            }
        for name, new_bytes in suite.new_bytes.items() if row == 'after-image' else ():
            rows[row][name]['new_bytes'] = new_bytes
    return {'schema': 'asl-compare/1', 'machine': machine, 'data': data, 'versions': versions, 'rows': rows,
            'goals': goals(rows), 'problems': suite.problems, 'notes': notes}


def goals(rows):
    found = []
    for row, peer, least, stretch in GOALS:
        ratio = rows.get(row, {}).get(peer, {}).get('times_asl')
        if ratio is not None:
            found.append({'row': row, 'than': peer, 'measured': ratio, 'goal': least, 'stretch': stretch,
                          'met': ratio >= least})
    after = rows.get('after-image', {})
    if 'asl' in after and 'restic' in after:
        ours, theirs = after['asl']['new_bytes'], after['restic']['new_bytes']
        found.append({'row': 'after-image', 'than': 'restic, new bytes', 'measured': round(theirs / max(ours, 1), 3),
                      'goal': 1, 'stretch': None, 'met': ours <= theirs})
    if 'mount-ready' in rows:
        ready = rows['mount-ready']['asl']['median_s']
        found.append({'row': 'mount-ready', 'than': 'seconds at most', 'measured': ready, 'goal': READY_SECONDS_MAX,
                      'stretch': None, 'met': ready <= READY_SECONDS_MAX})
    memory = [entry['asl']['rss_max_bytes'] for entry in rows.values() if 'asl' in entry]
    if memory:
        found.append({'row': 'memory', 'than': 'resident, MiB at most', 'measured': max(memory) >> 20,
                      'goal': RSS_MAX_BYTES >> 20, 'stretch': None, 'met': max(memory) <= RSS_MAX_BYTES})
    return found


# ---- Markdown ----

def table(head, lines):
    return '\n'.join(['| ' + ' | '.join(head) + ' |', '|' + ' --- |' * len(head),
                      *('| ' + ' | '.join(str(cell).replace('|', '\\|') for cell in line) + ' |' for line in lines)])


def row_table(row, entries):
    lines = []
    for name, entry in sorted(entries.items(), key=lambda item: item[1]['median_s']):
        ratio = '' if name == 'asl' or entry['times_asl'] is None else f'{entry["times_asl"]:.2f}'
        spread = ' '.join(f'{sample["seconds"]:.2f}' for sample in entry['samples'])
        line = [f'**{name}**' if name == 'asl' else name, f'{entry["median_s"]:.2f}', ratio, spread,
                f'{entry["cpu_s"]:.2f}', entry['rss_max_bytes'] >> 20]
        if row == 'after-image':
            line.append(f'{entry["new_bytes"] / 1e6:.0f}')
        lines.append(line)
    head = ['program', 'median, s', 'asl is so many times as fast', 'each run, s', 'CPU, s', 'memory, MiB']
    return table(head + (['new, MB'] if row == 'after-image' else []), lines)


def markdown(name, found):
    machine, data = found['machine'], found['data']
    speed = machine.get('disk_speed', {})
    parts = [f'# Speed beside other programs: {name}', f'![chart]({name}.svg)']
    if found['goals']:
        parts.append('## Goals')
        parts.append(table(['work', 'compared with', 'measured', 'goal', ''], [
            [ROWS.get(goal['row'], goal['row']), goal['than'], goal['measured'],
             str(goal['goal']) + (f' (stretch {goal["stretch"]})' if goal['stretch'] else ''),
             'met' if goal['met'] else '**short**'] for goal in found['goals']]))
    for row, entries in found['rows'].items():
        parts += [f'## {ROWS[row][0].upper()}{ROWS[row][1:]}', row_table(row, entries)]
    parts += ['## Machine and data', table(['what', 'value'], [
        ['processor', f'{machine["cpu"]}, {machine["cpus"]} cores, SHA-NI: {"yes" if machine["sha_ni"] else "no"}'],
        ['memory', f'{machine["memory_bytes"] / (1 << 30):.1f} GiB'],
        ['disk', f'{machine["disk"]}, {machine["file_system"]} ({machine["mount_options"]})'],
        ['dd, direct', ', '.join(f'{what} {rate / 1e6:.0f} MB/s' for what, rate in speed.items())],
        ['system', f'{machine["system"]}, Linux {machine["kernel"]}'],
        *([key, value] for key, value in data.items())])]
    parts += ['## Versions', table(['program', 'version'], found['versions'].items())]
    if found['notes'] or found['problems']:
        parts += ['## Notes', '\n'.join('* ' + note for note in found['notes'] + found['problems'])]
    parts.append('## Commands')
    for row, entries in found['rows'].items():
        lines = []
        for peer, entry in entries.items():
            lines += [f'# {peer}', *entry['commands']]
        parts.append(f'{ROWS[row]}:\n\n```\n' + '\n'.join(lines) + '\n```')
    return '\n\n'.join(parts) + '\n'


# ---- SVG ----

WIDTH, LABEL, BAR, GAP, TITLE = 900, 230, 18, 6, 34


def chart(found):
    """Horizontal bars of the median times, one group a row, the shortest first."""
    shapes, y = [], 10
    for row, entries in found['rows'].items():
        y += TITLE
        shapes.append(f'<text x="10" y="{y - 10}" class="t">{html.escape(ROWS[row])}, seconds</text>')
        longest = max(entry['median_s'] for entry in entries.values()) or 1
        for name, entry in sorted(entries.items(), key=lambda item: item[1]['median_s']):
            seconds = f'{entry["median_s"]:.{1 if longest >= 10 else 2}f}'
            width = max(1, (WIDTH - LABEL - 80) * entry['median_s'] / longest)
            shapes.append(
                f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{html.escape(name)}</text>'
                f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR}" class="{"a" if name == "asl" else "p"}"/>'
                f'<text x="{LABEL + width + 6:.1f}" y="{y + 14}">{seconds}</text>')
            y += BAR + GAP
    style = ('text{font:13px sans-serif;fill:#222}.t{font-weight:bold;font-size:14px}.a{fill:#1f6f8b}.p{fill:#b8bec4}')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 10}" '
            f'viewBox="0 0 {WIDTH} {y + 10}"><style>{style}</style>'
            f'<rect width="{WIDTH}" height="{y + 10}" fill="#fff"/>\n' + '\n'.join(shapes) + '\n</svg>\n')


def write(folder, name, found):
    os.makedirs(folder, exist_ok=True)
    for ending, text in (('json', json.dumps(found, indent=1) + '\n'), ('md', markdown(name, found)),
                         ('svg', chart(found))):
        with open(os.path.join(folder, f'{name}.{ending}'), 'w', encoding='utf-8') as file:
            file.write(text)
