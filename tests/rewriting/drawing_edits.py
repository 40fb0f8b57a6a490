"Edits of a file drawn at random, of objects that are there and of new ones"
from driver import new
from hypothesis import strategies as st


def boxes(width, height, whole=True):
    "Boxes within a picture, in its pixels"
    number = st.integers if whole else lambda low, high: st.integers(low * 8, high * 8).map(lambda o: o / 8)
    corners = st.tuples(number(0, width - 2), number(0, height - 2), number(1, width // 2), number(1, height // 2))
    return corners.map(lambda o: (o[0], o[1], min(o[2], width - o[0]), min(o[3], height - o[1])))


def edits(rows, boxes=None, labels=None, points=None, images=(), most_new=2): # strategies; points: (number) → strategy
    "Some rows changed or gone, and new objects of some images"
    def of(row):
        options = [st.just(row.gone)]
        if boxes is not None and row.value.box: options.append(boxes.map(lambda o: row.to(box=o)))
        if points is not None and row.value.points: options.append(points(len(row.value.points)).map(lambda o: row.to(points=o)))
        if labels is not None: options.append(labels.map(lambda o: row.to(label=o)))
        if boxes is not None and labels is not None and row.value.box: options.append(st.builds(lambda b, o: row.to(box=b, label=o), boxes, labels))
        return st.one_of(st.none(), *options)
    some = st.tuples(*map(of, rows)).map(lambda o: [e for e in o if e])
    if boxes is None or not images: return some
    more = st.lists(st.builds(new, st.sampled_from(images), boxes, label=labels if labels is not None else st.none()), max_size=most_new)
    return st.builds(lambda a, b: a + b, some, more)
