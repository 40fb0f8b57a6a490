"The figures of `compare.py` as a Markdown table"
from statistics import median


def amount(x, unit):
    "A figure with its unit: three digits are enough"
    if x is None: return 'not installed'
    if unit == 's' and x < 0.1: x, unit = (1000 * x, 'ms') if x >= 1e-4 else (1e6 * x, 'µs')
    number = f'{x:,.0f}' if abs(x) >= 100 else f'{x:.3g}'
    return f'{number}{unit}' if unit == '×' else f'{number} {unit}'


def factor(x): return f'1/{1 / x:g}' if x < 0.5 else f'{x:.3g}'


def reach(o):
    "What a line has to reach"
    if o['limit'] is None: return ''
    limit = f"{factor(o['limit'])} ×" if o['other_side'] else amount(o['limit'], o['unit'])
    return f"{'≤' if o['most'] else '≥'} {limit}"


def table(lines):
    "The lines as a Markdown table"
    cells = [('#', 'data', 'measure', 'ours', 'other side', 'ratio', 'reach', 'reached')] + [('---',) * 8]
    for o in lines:
        other = f"{o['other_side']}: {amount(o['other'], o['unit'])}" if o['other_side'] else ''
        ratio = f"{o['ratio']:.3g}" if o['ratio'] is not None else ''
        reached = {True: 'yes', False: '**no**', None: ''}[o['reached']]
        ours = amount(o['ours'], o['unit'])
        if ', ' in (o.get('ours_side') or ''): ours += f" ({o['ours_side'].partition(', ')[2]})" # one of several
        cells.append((str(o['number']), o['data'], o['measure'], ours, other, ratio, reach(o), reached))
    return '\n'.join(f'| {" | ".join(row)} |' for row in cells)


# What the lines call the other side -> what the README calls it
PEERS = {'by hand': 'a loop of two processes, written by hand', 'pycocotools': 'pycocotools', 'supervision, polygons left out': 'supervision', 'datumaro': 'datumaro', 'datasets': 'datasets', 'msgspec': 'msgspec, which only decodes',
         'a list of dicts': 'a list of dicts', 'a dict of arrays': 'a dict of arrays', 'np.load, mapped': '`np.load`, mapped', 'bare decoder': 'the bare decoder', 'decoding only': 'decoding alone, with Pillow',
         'Pillow, by hand': 'a loop written by hand, with Pillow', 'OpenCV, by hand': 'a loop written by hand, with OpenCV', 'simplejpeg, by hand': 'a loop written by hand, with simplejpeg'}


def peers(lines):
    "The lines that have another tool or the bare work beside them as a short Markdown table, a row for each measure"
    rows = {}
    for o in lines:
        if o['other_side'] in PEERS and o['other'] is not None: rows.setdefault((o['data'], o['measure'], amount(o['ours'], o['unit'])), []).append(o)
    cells = [('data', 'measure', '`ear_lazy`', 'beside it')] + [('---',) * 4]
    cells += [(*key, ', '.join(f"{PEERS[o['other_side']]}: {amount(o['other'], o['unit'])}" for o in found)) for key, found in rows.items()]
    return '\n'.join(f'| {" | ".join(row)} |' for row in cells)


def reached(lines):
    "How many of the lines that have something to reach do"
    wanted = [o['reached'] for o in lines if o['reached'] is not None]
    return f'{sum(wanted)} of {len(wanted)}'


def epochs(sides):
    "Images a second of each side of the row 'epochs', and what it takes before, as a Markdown table; the median of each figure"
    cells = [('images a second', 'first epoch', 'second', 'first after a restart', 'once before, s', 'to the first batch, s', 'disk, MB')] + [('---',) + ('---:',) * 6]
    for name, found in sides['epochs'].items():
        if not found: continue
        of = {key: median(values) for key, values in found.items()}
        rates = f"{of['cold']:,.0f}", f"{of['second']:,.0f}", f"{of['again']:,.0f}" if 'again' in of else 'as the first'
        cells.append((f'**{name}**' if name.startswith('ear_lazy') else name, *rates,
                      f"{of['set_up_seconds']:.1f}", f"{of['start_seconds']:.1f}", f"{of['disk_mb']:,.0f}"))
    return '\n'.join(f'| {" | ".join(row)} |' for row in cells)


def earlier(results):
    "A sentence on the rows that were kept from an earlier run, if there are any"
    rows = results.get('earlier', ())
    return f" The rows {', '.join(rows)} are from an earlier run on such a machine, with an earlier state of the package." if rows else ''
