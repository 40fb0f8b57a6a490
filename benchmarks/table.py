"The figures of `compare.py` as a Markdown table"


def amount(x, unit):
    "A figure with its unit: three digits are enough"
    if x is None: return 'not installed'
    if unit == 's' and x < 0.1: x, unit = (1000 * x, 'ms') if x >= 1e-4 else (1e6 * x, 'µs')
    number = f'{x:,.0f}' if abs(x) >= 100 else f'{x:.3g}'
    return f'{number}{unit}' if unit == '×' else f'{number} {unit}'


def factor(x): return f'1/{1 / x:g}' if x < 0.5 else f'{x:g}'


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
        cells.append((str(o['number']), o['data'], o['measure'], ours, other, ratio, reach(o), reached))
    return '\n'.join(f'| {" | ".join(row)} |' for row in cells)


# What the lines call the other side -> what the README calls it
PEERS = {'pycocotools': 'pycocotools', 'supervision, polygons left out': 'supervision', 'datumaro': 'datumaro', 'datasets': 'datasets', 'msgspec': 'msgspec, which only decodes',
         'a list of dicts': 'a list of dicts', 'bare decoder': 'the bare decoder', 'decoding only': 'decoding alone'}


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
