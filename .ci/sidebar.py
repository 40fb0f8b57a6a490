"""nbs/sidebar.yml, the order in which the site is read: `.venv/bin/python .ci/sidebar.py`, before `nbdev-docs`

nbdev would make one itself, but knows nothing of rooms and puts the tutorials last. The notebooks of modules stand in the order of the map:
each needs only those before it.
"""
import runpy
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
ROOMS = runpy.run_path(str(Path(__file__).with_name('rooms.py')))
TUTORIALS = ('bring_your_own_data', 'pipeline', 'explore', 'correct', 'train', 'recipes', 'migrate', 'performance') # first; then all others


def section(name, contents): return {'section': name, 'contents': contents}


def rooms(root):
    "A section for each room, the rooms inside it first"
    order, inside = ROOMS['order'](root), {}
    for name, folder in ROOMS['folders'](root):
        own = [f"{folder}{o.rpartition('.')[2]}.ipynb" for o in order if ROOMS['room_of'](o) == name]
        if not name: return [*inside[''], section('What users import', own)]
        inside.setdefault(ROOMS['room_of'](name), []).append(section(name.rpartition('.')[2].capitalize(), inside.pop(name, []) + own))


def contents(root=ROOT):
    "What the sidebar lists: the start, the map, tutorials, rooms"
    tutorials = sorted((root/'nbs/tutorials').glob('*.ipynb'), key=lambda o: (TUTORIALS.index(o.stem) if o.stem in TUTORIALS else len(TUTORIALS), o.stem))
    return ['index.ipynb', '0_map.ipynb', section('Tutorials', [f'tutorials/{o.name}' for o in tutorials]), *rooms(root)]


def write(root=ROOT):
    text = yaml.safe_dump({'website': {'sidebar': {'contents': contents(root)}}}, sort_keys=False)
    (root/'nbs/sidebar.yml').write_text(text, encoding='utf-8')


if __name__ == '__main__': write()
