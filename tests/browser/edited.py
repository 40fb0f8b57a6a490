"The page over a widget whose photos are edited, with a kernel side that keeps what it is told in memory"
import json
from copy import deepcopy
from itertools import count

import numpy as np
from explored import Explored
from making import tell

NEW = {'box': None, 'points': None, 'label': None, 'origin': '', 'status': 'added', 'options': [], 'own': False, 'flag': None}


class Edited(Explored):
    "What the kernel does with edits, as the page sees it; `refuse` is the reason of the next answer, `objects` what a row has"
    def __init__(self, page, widget, theme='light', keys=None, labels=('ear', 'face', 'head')):
        self.state, self.labels, self.made = {'editing': True, 'key_map': keys or {}}, list(labels), count()
        self.forget(None)
        super().__init__(page, widget, theme)

    def forget(self, objects): self.given, self.photos, self.past, self.future, self.refuse = objects, {}, [], [], None

    def begin(self, objects=None, row=0):
        "A row is opened anew, and nothing was done yet"
        if self.page.locator('.eal-full').is_visible(): self.page.evaluate("document.querySelector('[aria-label^=\"Back to\"]').click()")
        self.forget(objects)
        self.page.evaluate("() => { for (const o of [window.sent, window.received, window.reached]) o.length = 0 }")
        self.page.locator(f'.eal-cell[data-row="{row}"]').click()
        self.page.wait_for_selector(f'.eal-stage:not([aria-busy])[aria-label^="row {row}:"][role=application]')

    def traits(self): return super().traits() | self.state

    def photo(self, row):
        if row not in self.photos:
            m = self.widget.ds.get_metadata(row)
            boxes = m['bboxes'].tolist() if 'bboxes' in m else []
            objects = [dict(NEW, box=b, label='ear', status='raw', origin=f'a.json, annotation {i}', own=True) for i, b in enumerate(boxes)]
            if 'keypoints' in m: objects = [dict(NEW, points=m['keypoints'].tolist(), label='ear', status='raw', own=True)]
            if self.given is not None: objects = [NEW | {'status': 'raw', 'own': True} | o for o in self.given]
            self.photos[row] = {'photo': str(row), 'objects': [o | {'key': f'{row}.{i}'} for i, o in enumerate(objects)], 'ok': False, 'empty': False, 'excluded': False,
                                'note': '', 'labels': self.labels, 'schemes': {}}
        return self.photos[row] | {'can_undo': bool(self.past), 'can_redo': bool(self.future)}

    def boxes(self, row=0): return [o['box'] for o in self.photo(row)['objects']]

    def to_python(self, content):
        if 'set' in content:
            self.state |= {k: v for k, v in content['set'].items() if k in self.state}
            content = {'set': {k: v for k, v in content['set'].items() if k not in self.state}}
        if content.get('type') in ('edit', 'undo', 'redo'): self.outbox.append((self.edit(content), ()))
        elif content.get('type') == 'full' and self.state['editing']:
            tell(self.widget, content)
            self.outbox[:] = [(o | {'edit': deepcopy(self.photo(content['row']))} if o['type'] == 'full' else o, buffers) for o, buffers in self.outbox]
        else: return super().to_python(content)
        return self.mail()

    def edit(self, content):
        row, keys, answer = content.get('row'), [], {'type': 'edited', 'id': content['id'], 'saved': '14:02'}
        if self.refuse:
            answer, self.refuse = answer | {'error': self.refuse}, None
        elif content['type'] == 'edit':
            self.photo(row)
            self.past.append((row, deepcopy(self.photos[row])))
            self.future.clear()
            for action in content['actions']: self.do(self.photos[row], action, keys)
            answer['words'] = 'done'
        else:
            stacks = (self.past, self.future) if content['type'] == 'undo' else (self.future, self.past)
            if not stacks[0]: return answer | {'row': 0, 'error': f'nothing to {content["type"]}', 'edit': deepcopy(self.photo(0))}
            row, state = stacks[0].pop()
            stacks[1].append((row, self.photos[row]))
            self.photos[row] = state
            answer['words'] = f'{content["type"]}: a change'
        return answer | {'row': row, 'keys': keys, 'edit': deepcopy(self.photo(row))}

    def do(self, photo, action, keys):
        found = next((o for o in photo['objects'] if o['key'] == action.get('key')), None)
        match action:
            case {'op': 'add', 'now': now}:
                keys.append(f'added{next(self.made)}')
                photo['objects'].append(NEW | now | {'key': keys[-1]})
            case {'op': 'set' | 'settle', 'now': dict(now)}: found |= now | {'status': 'added' if found['status'] == 'added' else 'changed', 'options': []}
            case {'op': 'delete'} | {'op': 'settle'}: photo['objects'].remove(found)
            case {'op': 'flag', 'key': _, 'note': note}: found['flag'] = note
            case {'op': 'note' | 'flag', 'note': note}: photo['note'] = note
            case {'op': 'ok' | 'empty' | 'exclude' as op}:
                photo['excluded' if op == 'exclude' else op] = not action.get('off')
                if op == 'empty': photo['objects'] = []


WORK = {'EventDispatch', 'FireAnimationFrame', 'UpdateLayoutTree', 'Layout', 'PrePaint', 'Paint', 'Layerize', 'Commit'}


def work_of_frames(browser, page, act):
    "(n,) milliseconds that the page works for each frame, from the pointer to the paint, while `act` runs"
    browser.start_tracing(page=page, categories=['devtools.timeline', 'disabled-by-default-devtools.timeline'])
    act()
    events = json.loads(browser.stop_tracing())['traceEvents']
    renderer = {(o['pid'], o['tid']) for o in events if o['name'] == 'thread_name' and o['args']['name'] == 'CrRendererMain'}
    work = [o for o in events if o['ph'] == 'X' and (o['pid'], o['tid']) in renderer and o['name'] in WORK]
    frames = np.sort([o['ts'] for o in work if o['name'] == 'Commit'])
    return np.bincount(np.searchsorted(frames, [o['ts'] for o in work]), [o.get('tdur', o['dur']) / 1000 for o in work]) # of the thread: what others do meanwhile is not counted
