"""Writes a stub (`.pyi`) beside each module whose methods a type checker cannot see, after `nbdev-export`

A method that `@patch` puts into a class is a function of the module for an editor, mypy and pyright. The stub of such a module shows it in
its class, with its signature, the comments beside its parameters and its docstring; all that the module has besides keeps its types.
What begins with an underscore is left out, unless something public needs it. `--check` writes nothing, and fails if a stub is out of step.
"""
import ast
import builtins
import io
import sys
import tokenize
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = '# Made by .ci/stubs.py of {}: do not edit.\n'
IDENTITY = {'described', 'patch', 'typedispatch'} # decorators that leave a type as it is, or that the stub makes unnecessary
RETURNS = { # of special methods that say nothing of it
    '__init__': 'None', '__post_init__': 'None', '__repr__': 'str', '__str__': 'str', '__len__': 'int', '__hash__': 'int', '__bool__': 'bool', '__contains__': 'bool',
    '__eq__': 'bool', '__setattr__': 'None', '__setitem__': 'None', '__delitem__': 'None', '_repr_html_': 'str', '_repr_png_': 'bytes'}
OF_CALL = {'len': 'int', 'int': 'int', 'float': 'float', 'str': 'str', 'bool': 'bool', 'bytes': 'bytes', 'repr': 'str', 'isinstance': 'bool', 'callable': 'bool'}


def name_of(node):
    "A dotted name as text, without the arguments of a call; '' for anything else"
    if isinstance(node, ast.Call): return name_of(node.func)
    if isinstance(node, ast.Attribute): return f'{name_of(node.value)}.{node.attr}'
    return node.id if isinstance(node, ast.Name) else ''


def is_private(name): return name.startswith('_') and not (name.startswith('__') and name.endswith('__')) and not name.startswith('_repr_')


def names_in(node):
    "The names that an expression uses, also inside of quoted types, but not the words of a `Literal`"
    words = {id(word) for o in ast.walk(node) if isinstance(o, ast.Subscript) and name_of(o.value) == 'Literal' for word in ast.walk(o.slice)}
    for o in ast.walk(node):
        if id(o) in words: continue
        if isinstance(o, ast.Name): yield o.id
        elif isinstance(o, ast.Constant) and isinstance(o.value, str):
            try: yield from names_in(ast.parse(o.value, mode='eval'))
            except (SyntaxError, ValueError): pass


class Module:
    "A module of the package, as far as its types need it"
    def __init__(self, path, package):
        self.path, self.text = path, path.read_text(encoding='utf-8')
        parts = path.relative_to(package.parent).with_suffix('').parts
        self.is_package = parts[-1] == '__init__'
        self.name = '.'.join(parts[:-1] if self.is_package else parts)
        self.tree, self.lines = ast.parse(self.text), self.text.splitlines()
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        self.comments = {o.start[0]: o.string for o in tokens if o.type == tokenize.COMMENT}
        self.imports, self.defined, self.body = {}, {}, [] # name to (module, name or None, line), name to statement, other statements
        for node in self.tree.body: self._take(node)

    def _take(self, node):
        if isinstance(node, ast.Import):
            for o in node.names: self.imports[o.asname or o.name.partition('.')[0]] = (o.name, None, bool(o.asname) and o.asname == o.name)
        elif isinstance(node, ast.ImportFrom):
            for o in node.names: self.imports[o.asname or o.name] = (self._absolute(node), o.name, o.asname == o.name)
        elif isinstance(node, ast.If) and name_of(node.test).endswith('TYPE_CHECKING'):
            for o in node.body: self._take(o)
        elif isinstance(node, ast.Try):
            for o in node.body: self._take(o)
        else:
            self.body.append(node)
            for name in _defined_by(node): self.defined.setdefault(name, node)

    def _absolute(self, node):
        if not node.level: return node.module
        parts = self.name.split('.')
        parent = parts[:len(parts) - node.level + self.is_package]
        return '.'.join([*parent, *filter(None, [node.module])])

    @property
    def all(self):
        node = self.defined.get('__all__')
        if not isinstance(node, ast.Assign): return []
        try: return ast.literal_eval(node.value)
        except ValueError: return []


def _defined_by(node):
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)): return [node.name] if not patch_of(node) else []
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [o.id for target in targets for o in ast.walk(target) if isinstance(o, ast.Name)]


def patch_of(node):
    "The decorator of a function that puts it into a class; None for any other"
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)): return None
    return next((o for o in node.decorator_list if name_of(o).rpartition('.')[2] in ('patch', 'patch_to')), None)


class Method:
    "A function that `@patch` puts into classes"
    def __init__(self, node, module):
        self.node, self.module, decorator = node, module, patch_of(node)
        options = {o.arg: o.value.value for o in getattr(decorator, 'keywords', ())}
        if name_of(decorator).endswith('patch_to') or {*options} - {'as_prop', 'cls_method'}:
            raise SystemExit(f'{module.path}:{node.lineno}: .ci/stubs.py knows @patch, @patch(as_prop=True) and @patch(cls_method=True)')
        self.kind = 'property' if options.get('as_prop') else 'classmethod' if options.get('cls_method') else ''
        first = next(iter([*node.args.posonlyargs, *node.args.args]), None)
        if first is None or first.annotation is None: raise SystemExit(f'{module.path}:{node.lineno}: {node.name} does not say of which class it is')
        self.classes = [*names_in(first.annotation)]


class Package:
    def __init__(self, package):
        paths = sorted(o for o in package.rglob('*.py') if o.name != '_modidx.py' and '.ipynb_checkpoints' not in o.parts)
        self.modules = {o.name: o for o in (Module(p, package) for p in paths)}
        self.methods = defaultdict(list) # (module, class) to its `Method`s
        self.stubbed = set() # names of modules
        for module in self.modules.values():
            for node in module.body:
                if not patch_of(node): continue
                method = Method(node, module)
                for name in method.classes:
                    home, own_name = self.home(module, name)
                    self.methods[home.name, own_name].append(method)
                    self.stubbed |= {home.name, module.name}

    def home(self, module, name):
        "The module that defines a class or a function, and its name there; (None, name) if it is none of the package"
        for _ in range(9):
            if name in module.defined: return module, name
            if name not in module.imports: return None, name
            source, imported, _ = module.imports[name]
            if imported is None or source not in self.modules: return None, name
            module, name = self.modules[source], imported
        return None, name

    def stubs(self): return {self.modules[name].path.with_suffix('.pyi'): Stub(self, self.modules[name]).text() for name in sorted(self.stubbed)}


class Stub:
    def __init__(self, package, module):
        self.package, self.module = package, module
        self.extra = {} # imports that moved methods need: name to (module, name)
        self.used = set()

    def text(self):
        "The stub: imports that are used, then everything in the order of the module"
        chunks, done = {}, set()
        wanted = {*self.module.all, *(o for o in self.module.defined if not is_private(o) and o != '__all__')}
        while todo := [o for o in wanted if o in self.module.defined and o not in done]:
            for name in sorted(todo):
                done.add(name)
                node = self.module.defined[name]
                before, self.used = self.used, set()
                chunks[name] = self._statement(name, node)
                new, self.used = self.used, before | self.used
                wanted |= {o for o in new if o in self.module.defined}
        order = {name: (node.lineno, name) for name, node in self.module.defined.items()}
        body = [chunks[o] for o in sorted(chunks, key=order.get) if chunks[o]]
        head = HEAD.format(self.module.path.name)
        exported = [_wrapped(f'__all__ = {self.module.all!r}')] if self.module.all else []
        parts = [head + self._imports(body), *exported, *body]
        apart = ('class ', 'def ', '@', 'async ') # stand alone, with an empty line around them
        lines = [parts[0]]
        for before, o in zip(parts, parts[1:]): lines += [''] * (o.startswith(apart) or before.startswith((*apart, '#'))) + [o]
        return '\n'.join(lines) + '\n'

    def _imports(self, body):
        if both := {*self.extra} & self.module.defined.keys() - {'Any'}:
            raise SystemExit(f'{self.module.path}: {", ".join(sorted(both))} would mean two things in its stub')
        again = {k for k, (_, _, same) in self.module.imports.items() if same}
        names = {o: self.module.imports[o] for o in (self.used | again | {*self.module.all}) & self.module.imports.keys()} | self.extra
        mentioned = again | {*self.module.all} | {*names_in(ast.parse('\n'.join(body)))} # a guess that was dropped may have noted a name
        names = {k: v for k, v in names.items() if k in mentioned}
        plain = sorted(f'import {module}' + (f' as {name}' if name != module.partition('.')[0] or name in again and '.' not in module else '')
                       for name, (module, imported, *_) in names.items() if imported is None)
        of = defaultdict(list)
        for name, (module, imported, *_) in names.items():
            if imported is not None: of[module].append(imported if name == imported and name not in again else f'{imported} as {name}')
        return '\n'.join([*plain, *(f"from {module} import {', '.join(sorted(o))}" for module, o in sorted(of.items()))])

    def _statement(self, name, node):
        if isinstance(node, ast.ClassDef): return self._class(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)): return '\n'.join(self._function(node, self.module, self._decorators(node, self.module)))
        if isinstance(node, ast.AnnAssign): return f'{name}: {self._expression(node.annotation, self.module)}'
        if isinstance(node, ast.Assign) and _is_of_types(node.value, self.module): return f'{name} = {self._expression(node.value, self.module)}'
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for o, value in _pairs(target, node.value):
                    if isinstance(o, ast.Name) and o.id == name: return f'{name}: {self._inferred(value, self.module, {})}'
        return f'{name}: {self._any()}'

    # Names

    def _use(self, name, module):
        "Note that the stub uses a name of a module, which may be another one; its name here"
        if module is self.module or hasattr(builtins, name) and name not in module.imports and name not in module.defined:
            self.used.add(name)
            return
        home, own_name = self.package.home(module, name)
        if home is self.module: self.used.add(own_name)
        elif home is not None: self.extra[name] = (home.name, own_name)
        elif name in module.imports: self.extra[name] = module.imports[name][:2]
        if name in self.module.imports: self.used.add(name)

    def _expression(self, node, module):
        for o in names_in(node): self._use(o, module)
        return ast.unparse(node)

    def _any(self):
        self.extra.setdefault('Any', ('typing', 'Any'))
        return 'Any'

    # Functions

    def _decorators(self, node, module):
        return [f'@{self._expression(o, module)}' for o in node.decorator_list if name_of(o).rpartition('.')[2] not in IDENTITY]

    def _function(self, node, module, decorators, drop_annotation_of_first=False):
        "The lines of a function"
        end = max([node.lineno, *(o.end_lineno for o in _arguments_of(node)), node.returns.end_lineno if node.returns else 0]) # the line of the colon, or the one before
        while not module.lines[end - 1].partition('#')[0].rstrip().endswith(':') and end < node.body[0].lineno: end += 1
        args = self._arguments(node.args, module, drop_annotation_of_first, range(node.lineno, end))
        result = self._result(node, module)
        word = 'async def' if isinstance(node, ast.AsyncFunctionDef) else 'def'
        said = module.comments.get(end, '') if end < node.body[0].lineno else '' # what comes out
        said = f' {said}' if said else ''
        if any(comment for _, comment in args):
            start = [f'{word} {node.name}({args[0][0]},' if not args[0][1] else f'{word} {node.name}(']
            lines = start + [f'    {o},{comment and f" {comment}"}' for o, comment in args[not args[0][1]:]] + [f'){result}:']
        else: lines = [f"{word} {node.name}({', '.join(o for o, _ in args)}){result}:"]
        text = ast.get_docstring(node)
        if text: lines[-1:] = [lines[-1] + said, '    ' + _docstring(text)]
        else: lines[-1] += f' ...{said}'
        return [*decorators, *lines]

    def _arguments(self, args, module, drop_annotation_of_first, lines):
        "(text, comment) of each argument; comments are those of the given lines"
        plain = [*args.posonlyargs, *args.args]
        defaults = [None] * (len(plain) - len(args.defaults)) + args.defaults
        out = []
        def add(o, annotation, default, stars=''):
            text = stars + o.arg
            if annotation is not None: text += f': {self._expression(annotation, module)}'
            elif stars: text += f': {self._any()}'
            if default is not None: text += (' = ' if annotation is not None else '=') + self._default(default, module)
            out.append((text, module.comments.get(o.end_lineno, '') if o.end_lineno in lines else ''))
        for i, (o, default) in enumerate(zip(plain, defaults)):
            add(o, None if drop_annotation_of_first and not i else o.annotation, default)
            if args.posonlyargs and i == len(args.posonlyargs) - 1: out.append(('/', ''))
        if args.vararg: add(args.vararg, args.vararg.annotation, None, '*')
        elif args.kwonlyargs: out.append(('*', ''))
        for o, default in zip(args.kwonlyargs, args.kw_defaults): add(o, o.annotation, default)
        if args.kwarg: add(args.kwarg, args.kwarg.annotation, None, '**')
        return out

    def _default(self, node, module):
        if isinstance(node, (ast.Constant, ast.UnaryOp)) or isinstance(node, ast.Tuple) and not node.elts: return ast.unparse(node)
        return self._expression(node, module) if isinstance(node, ast.Name) and not is_private(node.id) else '...'

    def _result(self, node, module):
        if node.returns is not None: return f' -> {self._expression(node.returns, module)}'
        if node.name in RETURNS: return f' -> {RETURNS[node.name]}'
        own = [o for o in _own_nodes(node) if isinstance(o, (ast.Return, ast.Yield, ast.YieldFrom))]
        if any(not isinstance(o, ast.Return) for o in own): return ''
        values = [o.value for o in own if o.value is not None]
        if not values: return ' -> None'
        here = {a.asname or a.name: (module._absolute(o), a.name) for o in _own_nodes(node) if isinstance(o, ast.ImportFrom) for a in o.names}
        kinds = {self._of_lazy_call(o, here) or self._inferred(o, module, {}, '') for o in values}
        return f' -> {kinds.pop()}' if len(kinds) == 1 and '' not in kinds else ''

    # Classes

    def _class(self, node):
        module, lines = self.module, self._decorators(node, self.module)
        bases = [self._expression(o, module) for o in node.bases] + [f'{o.arg}={self._expression(o.value, module)}' for o in node.keywords]
        text = ast.get_docstring(node)
        members = [_docstring(text)] if text else []
        patched = [o for o in self.package.methods[module.name, node.name] if not is_private(o.node.name)]
        members += self._attributes(node, patched)
        renewed, overloaded = {o.node.name for o in patched}, set()
        for o in node.body:
            if not isinstance(o, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or is_private(o.name) or o.name in renewed: continue
            if isinstance(o, ast.ClassDef): continue
            is_overload = any(name_of(d).endswith('overload') for d in o.decorator_list)
            if is_overload: overloaded.add(o.name)
            elif o.name in overloaded or o.name in ('__reduce__', '__post_init__', '__getattr__'): continue # the overloads say it all
            members += self._function(o, module, self._decorators(o, module))
        for o in patched:
            if o.node.name in ('__reduce__',): continue
            decorators = self._decorators(o.node, o.module) + ([f'@{o.kind}'] if o.kind else [])
            members += self._function(o.node, o.module, decorators, drop_annotation_of_first=True)
        head = f'class {node.name}' + (f"({', '.join(bases)}):" if bases else ':')
        if not members: return '\n'.join([*lines, head + ' ...'])
        return '\n'.join([*lines, head, *(f'    {line}' if line else '' for o in members for line in o.split('\n'))])

    def _attributes(self, node, patched):
        "Lines of the attributes that the body of a class and its methods set"
        found = {}
        for o in node.body:
            if isinstance(o, ast.AnnAssign): # a field may be private, too: the constructor takes it
                found[o.target.id] = f"{o.target.id}: {self._expression(o.annotation, self.module)}{' = ...' if o.value is not None else ''}{self._comment(o)}"
            elif isinstance(o, ast.Assign):
                for target, value in ((t, v) for t in o.targets for t, v in _pairs(t, o.value)):
                    if isinstance(target, ast.Name) and not is_private(target.id) and not target.id.startswith('__'):
                        found[target.id] = f'{target.id}: {self._inferred(value, self.module, {})}{self._comment(o)}'
        taken = {o.name for o in node.body if isinstance(o, ast.FunctionDef)} | {o.node.name for o in patched}
        methods = [(o, self.module) for o in node.body if isinstance(o, ast.FunctionDef)] + [
            (o.node, o.module) for o in self.package.methods[self.module.name, node.name]]
        methods.sort(key=lambda o: o[0].name != '__init__')
        kinds = defaultdict(list)
        for method, module in methods:
            arguments = [*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs]
            types = {o.arg: o.annotation for o in arguments[1:]}
            for o in _own_nodes(method):
                if isinstance(o, ast.AnnAssign) and _is_own(o.target):
                    found.setdefault(o.target.attr, f'{o.target.attr}: {self._expression(o.annotation, module)}')
                elif isinstance(o, ast.Assign):
                    for target, value in ((t, v) for t in o.targets for t, v in _pairs(t, o.value)):
                        if _is_own(target) and not is_private(target.attr): kinds[target.attr].append((value, module, types))
        inherited = self._inherited(node)
        for name, values in kinds.items():
            if name in found or name in taken or name in inherited: continue
            guesses = dict.fromkeys(self._inferred(value, module, types, '') for value, module, types in values)
            guesses.pop('', None)
            sure = [o for o in guesses if o != 'None']
            if not sure: found[name] = f'{name}: {self._any()}'
            else: found[name] = f"{name}: {_union([sure[0], *(o for o in guesses if o == 'None')])}"
        return list(found.values())

    def _comment(self, node):
        comment = self.module.comments.get(node.end_lineno, '')
        return comment and f' {comment}'

    def _inherited(self, node):
        "Names that the classes of the package which a class is made of declare"
        names = set()
        for base in node.bases:
            home, own_name = self.package.home(self.module, name_of(base))
            if home is None or not isinstance(home.defined[own_name], ast.ClassDef): continue
            other = Stub(self.package, home)
            names |= {o.partition(':')[0] for o in other._attributes(home.defined[own_name], [])} | other._inherited(home.defined[own_name])
        return names

    # Types of values

    def _inferred(self, node, module, types, unknown=None):
        "The type of a value as far as it can be told at sight"
        if unknown is None: unknown = self._any()
        match node:
            case ast.Constant(value=None): return 'None'
            case ast.Constant(): return type(node.value).__name__
            case ast.JoinedStr(): return 'str'
            case ast.Compare(): return unknown if isinstance(node.left, ast.Attribute) and node.left.attr in ('values', 'labels') else 'bool'
            case ast.UnaryOp(op=ast.Not()): return 'bool'
            case ast.UnaryOp(): return self._inferred(node.operand, module, types, unknown)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.LShift() | ast.Pow()):
                kinds = {self._inferred(o, module, types, '') for o in (node.left, node.right)}
                return 'int' if kinds == {'int'} else unknown
            case ast.BoolOp():
                kinds = {self._inferred(o, module, types, '') for o in node.values}
                return kinds.pop() if len(kinds) == 1 and '' not in kinds else unknown
            case ast.Tuple() | ast.List() | ast.Set():
                word, kinds = type(node).__name__.lower(), dict.fromkeys(self._inferred(o, module, types, '') for o in node.elts)
                if len(kinds) != 1 or '' in kinds or 'None' in kinds: kinds = {self._any(): 0}
                return f"{word}[{next(iter(kinds))}{', ...' if word == 'tuple' else ''}]"
            case ast.Dict():
                sides = [dict.fromkeys(self._inferred(o, module, types, '') for o in side if o is not None) for side in (node.keys, node.values)]
                return f"dict[{', '.join(next(iter(o)) if len(o) == 1 and '' not in o and 'None' not in o else self._any() for o in sides)}]"
            case ast.Name() if types.get(node.id) is not None: return self._expression(types[node.id], module)
            case ast.Name() if node.id == 'self': return 'Self' if not self.extra.setdefault('Self', ('typing', 'Self')) else 'Self'
            case ast.Name(): return self._of_name(node.id, module, unknown)
            case ast.IfExp():
                kinds = dict.fromkeys(self._inferred(o, module, types, '') for o in (node.body, node.orelse))
                return unknown if '' in kinds else _union(kinds)
            case ast.Call(func=ast.Name(id=name)) if name in OF_CALL and name not in module.defined: return OF_CALL[name]
            case ast.Call(func=ast.Name()): return self._of_call(node.func.id, module, unknown)
        return unknown

    def _of_lazy_call(self, node, here):
        "What a function gives that is imported where it is called"
        if not isinstance(node, ast.Call) or name_of(node) not in here: return ''
        source, name = here[name_of(node)]
        if source not in self.package.modules or name not in self.package.modules[source].defined: return ''
        return self._of_call(name, self.package.modules[source], '')

    def _of_name(self, name, module, unknown):
        home, own_name = self.package.home(module, name)
        if home is None: return unknown
        other = home.defined[own_name]
        if isinstance(other, ast.Assign) and isinstance(other.value, ast.Constant): return self._inferred(other.value, home, {}, unknown)
        return unknown

    def _of_call(self, name, module, unknown):
        "What a class or a function gives"
        home, own_name = self.package.home(module, name)
        if home is None:
            if not name[:1].isupper() or name not in module.imports: return unknown
            self._use(name, module)
            return name
        node = home.defined[own_name]
        if isinstance(node, ast.ClassDef):
            self._use(name, module)
            return name
        if isinstance(node, ast.FunctionDef) and node.returns is not None: return self._expression(node.returns, home)
        return unknown


def _arguments_of(node):
    o = node.args
    return [x for x in (*o.posonlyargs, *o.args, o.vararg, *o.kwonlyargs, o.kwarg) if x is not None] + [x for x in (*o.defaults, *o.kw_defaults) if x is not None]


def _is_own(target): return isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == 'self'


def _is_of_types(node, module):
    "Whether a value is a type that annotations use: a type variable, an alias such as `str|None`"
    if isinstance(node, ast.Call): return name_of(node) in ('TypeVar', 'ParamSpec', 'NewType', 'typing.TypeVar')
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr): return all(isinstance(o, (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.BinOp)) for o in (node.left, node.right))
    return isinstance(node, ast.Subscript) and name_of(node.value) in ('Literal', 'Callable', 'Sequence', 'Mapping', 'Iterable', 'dict', 'list', 'tuple', 'type', 'os.PathLike')


def _pairs(target, value):
    "Targets and values of an assignment, one by one where that is possible"
    if isinstance(target, (ast.Tuple, ast.List)):
        same = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts) and not any(isinstance(o, ast.Starred) for o in [*value.elts, *target.elts])
        for i, o in enumerate(target.elts): yield from _pairs(o, value.elts[i] if same else ast.Name('?', ast.Load()))
    else: yield target, value


def _union(kinds):
    "Types as one, each once and None last"
    def parts(node): return [*parts(node.left), *parts(node.right)] if isinstance(node, ast.BinOp) else [ast.unparse(node)]
    each = dict.fromkeys(o for kind in kinds for o in parts(ast.parse(kind, mode='eval').body))
    return ' | '.join(sorted(each, key='None'.__eq__))


def _own_nodes(function):
    "Everything inside of a function, other functions aside"
    todo = [*function.body]
    while todo:
        node = todo.pop(0)
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)): todo[:0] = ast.iter_child_nodes(node)


def _docstring(text): return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"' if '\n' not in text else '"""' + text.replace('\\', '\\\\').replace('"', '\\"') + '"""'


def _wrapped(line, width=140):
    if len(line) <= width: return line
    out, current = [], ''
    for word in line.split(' '):
        if len(current) + len(word) + 1 > width: out, current = [*out, current], '          '
        current += f' {word}' if current.strip() else current and word or word
    return '\n'.join([*out, current])


def main():
    stubs = Package(ROOT/'ear_lazy').stubs()
    there = {o: o.read_text(encoding='utf-8') for o in sorted((ROOT/'ear_lazy').rglob('*.pyi'))}
    if '--check' in sys.argv[1:]:
        other = [str(o.relative_to(ROOT)) for o in sorted({*stubs, *there}) if stubs.get(o) != there.get(o)]
        if other: sys.exit(f"out of step with the modules: {', '.join(other)}; python .ci/stubs.py writes them")
        return
    for o in there.keys() - stubs.keys(): o.unlink()
    for o, text in stubs.items():
        if there.get(o) != text: o.write_text(text, encoding='utf-8')


if __name__ == '__main__': main()
