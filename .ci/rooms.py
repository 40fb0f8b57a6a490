"""The rooms of the package, and its modules in order; `python .ci/rooms.py` prints them as the map lists them

Nothing of it is written by hand: a room is a folder of `nbs/`, in order of its number, and `ear_lazy/` has the same folders without numbers.
What lies in a folder itself comes after the folders in it, so what users import, which lies in no room, comes last. Within a room, a module
comes after those that it or the examples of its notebook import.
"""
import ast
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Imports inside functions that lead to a later module, and why. There are no others.
LATER = {
    ('loading.row_dataset', 'export'): '`ds.to_coco` and its like are found at the dataset, and need nothing before they are called',
    ('loading.row_dataset', 'handover'): 'likewise `ds.to_hf`, `ds.to_pandas`, `ds.to_polars` and `ds.to_supervision`',
    ('loading.row_dataset', 'looking.choosing'): 'likewise `ds.where`',
    ('loading.row_dataset', 'measuring.next_to_label'): 'likewise `ds.next_to_label` and `ds.similar`',
    ('loading.row_dataset', 'stats'): 'likewise `ds.stats` and `ds.plot_stats`',
    ('loading.row_dataset', 'suspects'): 'likewise `ds.suspects`',
    ('loading.row_dataset', 'evaluation'): 'likewise `ds.evaluate`',
    ('evaluation', 'evaluation_view'): 'an evaluation is looked at by its own method, which needs a widget only then',
    ('data_processor', 'command'): '`main` and `python -m ear_lazy.data_processor` stay valid',
}

# Likewise in examples of a notebook: (room, module)
LATER_IN_EXAMPLES = {
    ('loading', 'data_processor'): 'its examples of photos need rows of every kind, which nothing else writes in one call',
    ('loading', 'lazy_dataset'): 'likewise datasets, combined ones too',
    ('looking', 'data_processor'): 'its examples look at metadata files, which nothing else writes in one call',
    ('looking', 'lazy_dataset'): 'they look at datasets, which are opened as users open them',
    ('measuring', 'data_processor'): 'its examples measure metadata files, which nothing else writes in one call',
    ('measuring', 'lazy_dataset'): 'they measure datasets, which are opened as users open them',
    ('measuring', 'corrections'): 'they correct what they measure, as users do',
    ('measuring', 'rewrite'): 'likewise',
}


def folders(root=ROOT, folder='', name=''):
    "Rooms, as (name of the package, folder of notebooks)"
    found = [o for o in (root/'nbs'/folder).iterdir() if o.is_dir() and (folder or o.name[0].isdigit()) and not o.name.startswith('.')]
    for o in sorted(found, key=lambda o: (int(o.name.partition('_')[0]) if o.name[0].isdigit() else 0, o.name)):
        inner = o.name.lstrip('0123456789').removeprefix('_')
        yield from folders(root, f'{folder}{o.name}/', f'{name}{inner}.')
    yield name.removesuffix('.'), folder


def room_of(module): return module.rpartition('.')[0]


def modules(root=ROOT):
    "Modules, as their names inside the package, and their files"
    package = root/'ear_lazy'
    return {'.'.join(path.relative_to(package).with_suffix('').parts): path for path in sorted(package.rglob('*.py'))
            if not path.name.startswith('_')}


def imports(module, root=ROOT):
    "What a module imports of this package anywhere, functions included: (module, name in it, or '')"
    files = modules(root)
    return _imported(files[module].read_text(encoding='utf-8'), module, files)


def example_imports(module, root=ROOT):
    "Likewise what the cells of its notebook import that are not exported: examples and tests"
    path = root/'nbs'/dict(folders(root))[room_of(module)]/f"{module.rpartition('.')[2]}.ipynb"
    cells = [''.join(o['source']) for o in json.loads(path.read_text(encoding='utf-8'))['cells'] if o['cell_type'] == 'code']
    files = modules(root)
    for cell in cells:
        if not cell.startswith('#| export'): yield from _imported(re.sub(r'^\s*[%!].*', '', cell, flags=re.M), module, files)


def _imported(code, module, files):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import): found = [(alias.name, '') for alias in node.names]
        elif isinstance(node, ast.ImportFrom): # nbdev exports absolute imports as relative ones
            above = f'ear_lazy.{module}'.rsplit('.', node.level)[0] + '.' if node.level else ''
            source = (above + (node.module or '')).rstrip('.')
            found = [(f'{source}.{alias.name}', '') if f'{source}.{alias.name}'.removeprefix('ear_lazy.') in files else (source, alias.name)
                     for alias in node.names]
        else: continue
        yield from ((o.removeprefix('ear_lazy.'), name) for o, name in found if o.startswith('ear_lazy.'))


def order(root=ROOT):
    "All modules, room by room; raises `ValueError` where some of a room import one another in a circle"
    place = {name: n for n, (name, _) in enumerate(folders(root))}
    def needed(module): return {o for o, _ in [*imports(module, root), *example_imports(module, root)] if room_of(o) == room_of(module) and (module, o) not in LATER}
    needs = {o: sorted(needed(o) - {o}) for o in modules(root)}
    done, under_way = [], []
    def add(module):
        if module in done: return
        if module in under_way: raise ValueError(f"modules import one another: {' → '.join([*under_way, module])}")
        under_way.append(module)
        for other in needs.get(module, ()): add(other)
        done.append(under_way.pop())
    for module in sorted(needs, key=lambda o: (place[room_of(o)], o)): add(module)
    return done


def reading_order(root=ROOT):
    "What the map lists: rooms with links to their notebooks"
    found = order(root)
    def links(name, folder): return ', '.join(f"[{o.rpartition('.')[2]}]({folder}{o.rpartition('.')[2]}.ipynb)" for o in found if room_of(o) == name)
    return '\n'.join(f"- **{name.replace('.', '/') or 'What users import'}**: {links(name, folder)}" for name, folder in folders(root))


if __name__ == '__main__': print(reading_order())
