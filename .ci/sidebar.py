"""nbs/sidebar.yml, the order in which the site is read: `.venv/bin/python .ci/sidebar.py`, before `nbdev-docs`

nbdev would make one itself, but puts the tutorials last and drops the numbers of folders, which are part of the paths.
The notebooks of modules are in order of their numbers: each needs only those before it.
"""
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
TUTORIALS = ('bring_your_own_data', 'pipeline', 'explore', 'train', 'migrate', 'performance') # first; then all others
SECTIONS = {'Raw data': '00', 'From raw data to metadata': '06', 'From metadata to batches': '11', 'Demo, migration': '14', 'Explorer': '15'} # and their first numbers


def notebooks(folder): return [o for o in sorted(folder.glob('*.ipynb')) if o.stem != 'index']


def section(name, paths, nbs): return {'section': name, 'contents': [o if isinstance(o, dict) else o.relative_to(nbs).as_posix() for o in paths]}


def contents(root=ROOT):
    "What the sidebar lists: the start, tutorials, modules"
    nbs = root/'nbs'
    tutorials = sorted(notebooks(nbs/'tutorials'), key=lambda o: TUTORIALS.index(o.stem) if o.stem in TUTORIALS else len(TUTORIALS))
    modules = {name: [] for name in SECTIONS}
    for path in notebooks(nbs): modules[[name for name, first in SECTIONS.items() if first <= path.stem][-1]].append(path)
    modules['Raw data'].append(section('Formats', notebooks(nbs/'05_formats'), nbs))
    return ['index.ipynb', section('Tutorials', tutorials, nbs), *(section(name, paths, nbs) for name, paths in modules.items())]


def write(root=ROOT):
    text = yaml.safe_dump({'website': {'sidebar': {'contents': contents(root)}}}, sort_keys=False)
    (root/'nbs/sidebar.yml').write_text(text, encoding='utf-8')


if __name__ == '__main__': write()
