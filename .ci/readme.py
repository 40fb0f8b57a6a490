"""README.md and its pictures from nbs/index.ipynb, without Quarto: `.venv/bin/python .ci/readme.py`

The same notebook gives the same bytes: outputs are those saved in it, nothing is executed. Of Quarto's directives it knows
`#| echo: false`, `#| output: false` and `#| fig-alt: words for a picture`. Links to files beside the notebook become links
inside the repository, so that they work in a clone as well as on a web page of it.
"""
import re
from pathlib import Path, PurePosixPath
from posixpath import normpath

from fastcore.nbio import nb2str, read_nb
from nbconvert import MarkdownExporter
from nbdev.process import NBProcessor
from nbdev.processors import clean_magics, filter_stream_, hide_, hide_line, insert_warning, populate_language, rm_export, strip_ansi
from nbformat import reads

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = PurePosixPath('nbs/index.ipynb')
PICTURES = 'index_files'
LINK = re.compile(r'(\]\()([^)\s]+)')
PICTURE = re.compile(rf'!\[\w+\]\(({PICTURES}/{NOTEBOOK.stem}_(\d+)_\d+\.\w+)\)')


def repo_link(target):
    "`target` as seen from the top of the repository; addresses and anchors stay as they are"
    if re.match(r'[a-z][a-z0-9+.-]*:|#', target): return target
    path, hash_, anchor = target.partition('#')
    return normpath((NOTEBOOK.parent/path).as_posix()) + hash_ + anchor


def apply_directives(cell):
    "Drop what the cell's directives hide, and what goes to stderr: progress bars change with every run"
    if cell.cell_type != 'code': return
    if cell.directives_.get('echo') == 'false': cell.metadata['tags'] = ['hide-input']
    if cell.directives_.get('output') == 'false': cell.outputs = []
    cell.outputs = [o for o in cell.outputs if o.get('name') != 'stderr']


def render(root=ROOT):
    "The generated files of the project at `root`: path inside it -> bytes"
    procs = [populate_language, insert_warning, strip_ansi, hide_line, filter_stream_, apply_directives, rm_export, clean_magics, hide_]
    processed = NBProcessor(nb=read_nb(root/NOTEBOOK), procs=procs)
    processed.process()
    for cell in processed.nb.cells:
        if cell.cell_type == 'markdown': cell.source = LINK.sub(lambda m: m[1] + repo_link(m[2]), cell.source)
    nb = reads(nb2str(processed.nb), as_version=4)
    nb.metadata['language_info'] = {'name': 'python'}
    exporter = MarkdownExporter(config={'TagRemovePreprocessor': {'enabled': True, 'remove_input_tags': ['hide-input']}})
    text, resources = exporter.from_notebook_node(nb, {'unique_key': NOTEBOOK.stem, 'output_files_dir': PICTURES})
    alts = [cell.directives_.get('fig-alt', 'output').strip('"') for cell in processed.nb.cells]
    text = PICTURE.sub(lambda m: f'![{alts[int(m[2])]}]({m[1]})', text)
    text = re.sub(r'\n{3,}', '\n\n', re.sub(r'^[ \t]+$', '', text, flags=re.M)).strip() + '\n'
    return {'README.md': text.encode()} | {name: data for name, data in resources['outputs'].items() if name in text}


def stale(files, root=ROOT):
    "Pictures of an earlier README that `files` no longer has"
    return [p for p in sorted((root/PICTURES).glob('*')) if p.relative_to(root).as_posix() not in files]


def write(root=ROOT):
    files = render(root)
    for path in stale(files, root): path.unlink()
    for name, data in files.items():
        (root/name).parent.mkdir(exist_ok=True)
        (root/name).write_bytes(data)


if __name__ == '__main__': write()
