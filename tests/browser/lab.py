"A JupyterLab on 127.0.0.1, and a notebook of it in the browser"
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request


def notebook(*cells):
    kernel = {'display_name': 'Python 3', 'language': 'python', 'name': 'python3'}
    made = [dict(cell_type='code', id=f'cell{i}', source=o, metadata={}, outputs=[], execution_count=None) for i, o in enumerate(cells)]
    return json.dumps(dict(cells=made, metadata=dict(kernelspec=kernel), nbformat=4, nbformat_minor=5))


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Lab:
    "The server, in a folder of its own with settings of its own"
    def __init__(self, folder, *options):
        self.folder, self.port, self.token = folder, free_port(), secrets.token_hex(16)
        overrides = folder/'settings'/'overrides.json' # no news, no dialogs
        overrides.parent.mkdir(parents=True)
        overrides.write_text(json.dumps({'@jupyterlab/apputils-extension:notification': {'fetchNews': 'false', 'checkForUpdates': False}}))
        (folder/'work').mkdir()
        env = os.environ | {f'JUPYTER_{o}_DIR': str(folder/o.lower()) for o in ('CONFIG', 'DATA', 'RUNTIME')} | {'IPYTHONDIR': str(folder/'ipython'),
                                                                                                               'PYTHONDONTWRITEBYTECODE': '1'}
        args = [sys.executable, '-m', 'jupyterlab', '--no-browser', '--ip=127.0.0.1', f'--port={self.port}', '--ServerApp.port_retries=0',
                f'--IdentityProvider.token={self.token}', f'--ServerApp.root_dir={folder / "work"}', f'--LabApp.user_settings_dir={folder / "user"}',
                f'--LabApp.workspaces_dir={folder / "workspaces"}', f'--LabApp.app_settings_dir={folder / "settings"}', '--LabApp.expose_app_in_browser=True',
                '--allow-root', *options]
        self.log = open(folder/'log', 'wb')
        self.process = subprocess.Popen(args, env=env, stdout=self.log, stderr=self.log, start_new_session=True)
        self.wait()

    def wait(self, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try: return urllib.request.urlopen(f'http://127.0.0.1:{self.port}/api?token={self.token}', timeout=2).read()
            except OSError:
                if self.process.poll() is not None: break
                time.sleep(.2)
        raise AssertionError(f'JupyterLab did not start: {(self.folder / "log").read_text()}')

    def stop(self):
        os.killpg(self.process.pid, signal.SIGINT)
        os.killpg(self.process.pid, signal.SIGTERM)
        try: self.process.wait(15)
        except subprocess.TimeoutExpired: os.killpg(self.process.pid, signal.SIGKILL)
        self.log.close()

    def url(self, name): return f'http://127.0.0.1:{self.port}/lab/tree/{name}?token={self.token}&reset'


# Ends when the run has begun.
RUN = """async i => {
  const panel = jupyterapp.shell.currentWidget
  await panel.sessionContext.ready
  await panel.sessionContext.session.kernel.info
  panel.content.activeCellIndex = i
  let over = false
  const until = Date.now() + 120_000
  jupyterapp.commands.execute('notebook:run-cell').then(() => { over = true })
  while (!over && panel.content.widgets[i].model.executionState !== 'running') {
    if (Date.now() > until) throw new Error('the cell does not run')
    await new Promise(then => setTimeout(then, 5))
  }
}"""


class Notebook:
    "A notebook that is open in JupyterLab"
    def __init__(self, page, lab, name, *cells):
        self.page, self.path = page, lab.folder/'work'/name
        self.path.write_text(notebook(*cells))
        page.goto(lab.url(name))
        page.wait_for_selector('.jp-NotebookPanel .jp-Cell')
        page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status=idle]', timeout=60_000)

    def cell(self, i): return self.page.locator('.jp-Notebook .jp-Cell').nth(i)

    def prompt(self, i): return self.cell(i).locator('.jp-InputPrompt').first.inner_text()

    def start(self, i):
        "Run a cell by JupyterLab's own command: a key is swallowed while the kernel connects, and a second one may run the cell twice"
        self.page.evaluate(RUN, i)

    def run(self, i, seconds=60):
        "Run a cell to its end, and give what it printed"
        self.start(i)
        self.ended(i, seconds)
        return self.printed(i)

    def ended(self, i, seconds=60):
        "Wait for the end of a run"
        self.page.wait_for_function("i => /^\\[\\d+\\]:$/.test(document.querySelectorAll('.jp-Notebook .jp-Cell')[i].querySelector('.jp-InputPrompt').textContent.trim())",
                                    arg=i, timeout=1000 * seconds)

    def printed(self, i):
        found = self.cell(i).locator('.jp-OutputArea-output pre')
        return found.last.inner_text().strip() if found.count() else ''

    def save(self):
        "Save by the button, as no key that is pressed in the explorer gets here; gives what was saved"
        before = self.path.stat().st_mtime_ns
        self.page.locator('.jp-NotebookPanel-toolbar [data-jp-item-name=save] >> nth=0').click()
        until = time.monotonic() + 20
        while self.path.stat().st_mtime_ns == before:
            assert time.monotonic() < until, 'the notebook is not saved'
            self.page.wait_for_timeout(50)
        self.page.wait_for_timeout(300)
        return json.loads(self.path.read_text())
