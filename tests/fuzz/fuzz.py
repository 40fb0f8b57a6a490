"Fuzz with atheris: python tests/fuzz/fuzz.py TARGET SECONDS [FOLDER]; TARGET is one of targets.py or 'all', FOLDER keeps what it finds"
import os
import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent))
with atheris.instrument_imports(include=['ear_lazy', 'pickle', 'numpy.lib', 'defusedxml', 'xml.etree', 'csv', 'json']):
    import targets


def write_corpus(name, folder):
    "The corpus of a target; for all of them with the byte that chooses the target"
    folder.mkdir(parents=True, exist_ok=True)
    for i, (target, file) in enumerate(targets.seeds()):
        choice = bytes([list(targets.TARGETS).index(target)]) if name == 'all' else b''
        if name in ('all', target): (folder/f'seed-{i}').write_bytes(choice + file.read_bytes())
    return folder


def fuzz(name, seconds, scratch, keep):
    target = targets.any_target if name == 'all' else targets.TARGETS[name]
    folder, corpus = targets.make_folder(scratch/'raw'), write_corpus(name, keep/'corpus'/name)
    def one_input(data):
        with targets.at_once(): target(folder, data)
    atheris.Setup(['fuzz', f'-max_total_time={seconds}', '-max_len=4096', '-rss_limit_mb=4096', '-timeout=30', '-verbosity=1', '-seed=1', '-print_final_stats=1',
                   f'-artifact_prefix={keep}/{name}-', str(corpus)], one_input)
    atheris.Fuzz()


def main(name, seconds, keep=None):
    "In a process of its own, which the fuzzer ends without clearing up"
    with tempfile.TemporaryDirectory(dir='/dev/shm' if os.path.isdir('/dev/shm') else None) as scratch:
        if pid := os.fork(): status = os.waitpid(pid, 0)[1]
        else: fuzz(name, seconds, Path(scratch), Path(keep or scratch))
    return os.waitstatus_to_exitcode(status)


if __name__ == '__main__': sys.exit(main(*sys.argv[1:]))
