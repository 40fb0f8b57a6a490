"Everything that `pyproject.toml` declares dynamic, read from `settings.ini`"
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

root = Path(__file__).parent
parser = ConfigParser()
parser.read(root/'settings.ini', encoding='utf-8')
cfg = parser['DEFAULT']


def lines(key): return cfg[key].strip().splitlines()


setup(
    version=cfg['version'],
    author=cfg['author'],
    keywords=cfg['keywords'].split(),
    long_description=(root/'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    package_dir={'': '.'}, # so that `pip install -e` writes a plain path, which type checkers follow, and not an import hook, which they do not
    packages=find_packages(include=[cfg['lib_name'], f"{cfg['lib_name']}.*"]),
    include_package_data=True,
    install_requires=lines('requirements'),
    extras_require={key.removesuffix('_requirements'): lines(key) for key in cfg if key.endswith('_requirements')},
    entry_points={'console_scripts': lines('console_scripts'), 'nbdev': [f"{cfg['lib_name']} = {cfg['lib_name']}._modidx:d"]},
)
