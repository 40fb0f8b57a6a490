"""What the package relies on and other libraries do not promise: each test is named after it, and fails when a new version changes it

The uses are in `ear_lazy/base/compat.py`, which says what each is for.
"""
import errno
import inspect
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from multiprocessing import get_context

import numpy as np
import pytest
from PIL import Image
from torch.utils.data import BatchSampler

from ear_lazy.base import compat

forks = pytest.mark.skipif(not hasattr(os, 'fork'), reason='there are no forks')


def jpeg(size=(64, 48), **options):
    "Noise as a JPEG"
    file = BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)).save(file, 'JPEG', **options)
    return file.getvalue()


# Python

def test_python_unpickler_looks_operations_up_in_dispatch_and_keeps_values_on_stack():
    asked = []
    class Asking(compat.CheckedUnpickler, refuse={pickle.EMPTY_SET[0]}):
        def check_call(self, function, arguments): asked.append((function, arguments))
        def check_attributes(self, owner): asked.append(type(owner))
    class Named: pass
    globals()['Named'] = Named
    Named.__qualname__ = 'Named'
    item = Named()
    item.name = 'a'
    assert Asking(BytesIO(pickle.dumps([1+2j, item]))).load()[1].name == 'a', 'pickle._Unpickler no longer runs the functions in its table `dispatch`'
    assert asked == [(complex, (1.0, 2.0)), Named], 'pickle._Unpickler has other values on its `stack` before a call (REDUCE) or attributes (BUILD)'
    with pytest.raises(KeyError): Asking(BytesIO(pickle.dumps({1}))).load()
    assert Asking(BytesIO(pickle.dumps(bytearray(b'abc'), 5))).load() == b'abc', 'pickle._Unpickler no longer has `read` and `append`, which BYTEARRAY8 needs'


def test_inspect_getdoc_begins_with_expandtabs():
    def function(): pass
    function.__doc__ = compat.LateDoc('First.', lambda: '\n\nMore.')
    assert function.__doc__ == 'First.'
    assert inspect.getdoc(function) == 'First.\n\nMore.', 'inspect.getdoc no longer calls expandtabs(): `described` functions lose their parameters in help and Jupyter'


def test_inspect_formatannotation_writes_types():
    assert [compat.text_of_type(o) for o in (int, list[str], inspect.Parameter)] == ['int', 'list[str]', 'inspect.Parameter']


@forks
def test_multiprocessing_forking_pickler_sends_descriptors_by_dupfd():
    class Opened:
        def __init__(self, fd): self.fd = fd
    compat.pickle_for_processes(Opened, lambda o: (list, ([compat.sent_descriptor(o.fd)],)))
    ours, theirs = get_context('fork').Pipe()
    def answer():
        handle, = theirs.recv()
        fd = handle.detach()
        theirs.send_bytes(os.read(fd, 5))
        os.close(fd)
    process = get_context('fork').Process(target=answer)
    process.start()
    end, start = os.pipe()
    os.write(start, b'hello')
    ours.send(Opened(end))
    assert ours.poll(20) and ours.recv_bytes() == b'hello', 'multiprocessing.reduction no longer sends descriptors: batches are not handed over without a copy'
    process.join()
    for fd in (end, start): os.close(fd)


def test_ipython_kernel_is_the_module_ipykernel(monkeypatch):
    pytest.importorskip('ipykernel.kernelapp')
    assert compat.in_jupyter()


# PyTorch

def test_torch_default_collate_reads_default_collate_fn_map():
    from torch.utils.data import default_collate
    class Word(str): pass
    compat.collate_by_default(Word, lambda words, *, collate_fn_map: ' '.join(words))
    try: assert default_collate([Word('a'), Word('b')]) == 'a b', 'default_collate no longer uses the table: a DataLoader needs collate_fn=ear_lazy.collate'
    finally:
        from torch.utils.data._utils.collate import default_collate_fn_map
        del default_collate_fn_map[Word]


def test_torch_untyped_storage_new_shared_makes_shared_memory():
    zeros = compat.shared_zeros(10)
    assert zeros.is_shared() and zeros.tolist() == [0]*10, 'UntypedStorage._new_shared no longer gives zeros in shared memory'


# Pillow and OpenCV

@pytest.mark.parametrize('subsampling, first', [('4:4:4', (1, 1)), ('4:2:2', (2, 1)), ('4:2:0', (2, 2))])
def test_pillow_jpeg_layer_holds_sampling(subsampling, first):
    im = Image.open(BytesIO(jpeg(subsampling=subsampling, progressive=True)))
    assert compat.jpeg_sampling(im) == [first, (1, 1), (1, 1)], 'JpegImageFile.layer changed: the memory that a progressive JPEG takes is not known'


def test_pillow_getencoder_gives_raw_rows():
    pixels = np.random.default_rng(0).integers(0, 256, (70, 33, 3), np.uint8)
    rows = list(compat.rgb_rows(Image.fromarray(pixels), 1000))
    assert b''.join(rows) == pixels.tobytes() and len(rows) > 1, 'Image._getencoder no longer gives the pixels of im.im in rows'


def test_pillow_calls_pictures_that_end_early_truncated():
    with pytest.raises(OSError) as caught: Image.open(BytesIO(jpeg()[:-999])).load()
    assert compat.says_cut_off(caught.value), f'Pillow says {caught.value} of a file that ends early'
    data = bytearray(jpeg())
    data[data.index(b'\xff\xda') + 1] = 0x02 # a marker that stands for nothing
    with pytest.raises(Exception) as caught: Image.open(BytesIO(data)).load()
    assert not compat.says_cut_off(caught.value)


@pytest.mark.parametrize('reduce', [2, 4, 8])
def test_opencv_grayscale_flags_reduce_rgb_too(reduce):
    cv2 = pytest.importorskip('cv2')
    pixels = cv2.imdecode(np.frombuffer(jpeg(), np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION | compat.reduced_rgb(reduce))
    assert pixels.shape == (48//reduce, 64//reduce, 3), 'IMREAD_REDUCED_GRAYSCALE_… with IMREAD_COLOR_RGB no longer gives a smaller picture in colour'


# fsspec, s3fs, botocore

@pytest.mark.parametrize('url, path', [('memory://a/b.jpg', '/a/b.jpg'), ('s3://bucket/a/b.jpg', 'bucket/a/b.jpg')])
def test_fsspec_strip_protocol_gives_the_path(url, path):
    fsspec = pytest.importorskip('fsspec')
    if url.startswith('s3'): pytest.importorskip('s3fs')
    assert compat.path_in_storage(fsspec.get_filesystem_class(url.partition(':')[0]), url) == path


def test_fsspec_parent_is_what_listings_are_kept_under():
    fsspec = pytest.importorskip('fsspec')
    class Listed(fsspec.AbstractFileSystem):
        cachable = False
        forgotten = ()
        def invalidate_cache(self, path=None): self.forgotten += path,
    fs = Listed()
    compat.forget_listing(fs, 'bucket/a/b.jpg')
    assert fs.forgotten == ('bucket/a',), 'AbstractFileSystem._parent changed: files that were replaced in a bucket look unchanged'


@pytest.fixture
def signing(s3):
    "A filesystem of the server, and a file in it"
    from ear_lazy.base import storage
    fs = storage.filesystem('s3://bucket')
    fs.pipe_file('bucket/compat/a.txt', b'abc')
    fs.pipe_file('bucket/compat/empty.txt', b'')
    return fs


def test_s3fs_keeps_credentials_and_settings_as_attributes(signing):
    client, session = compat.s3_client_like(signing)
    made = signing.connect().meta
    assert (client.meta.endpoint_url, client.meta.region_name) == (made.endpoint_url, made.region_name), 's3fs has its settings elsewhere'
    assert client.get_object(Bucket='bucket', Key='compat/a.txt')['Body'].read() == b'abc'
    fs = type(signing)(key='own-key', secret='own-secret', client_kwargs={'endpoint_url': made.endpoint_url}, skip_instance_cache=True)
    assert compat.s3_client_like(fs)[1].get_credentials().access_key == 'own-key', 's3fs has the credentials elsewhere that it was given'


def test_botocore_request_signer_signs_as_the_client_does(signing):
    client, session = compat.s3_client_like(signing)
    sign = compat.s3_url_signer(client, session)
    for _ in range(2): # signatures hold the time in seconds
        url = client.generate_presigned_url('get_object', {'Bucket': 'bucket', 'Key': 'compat/a.txt'}, ExpiresIn=900)
        signed = sign(url.partition('?')[0], 900)
        if signed == url: break
    assert signed == url, 'RequestSigner.generate_presigned_url signs in another way: each image takes twice the time to sign'


def test_s3fs_calls_a_part_of_an_empty_file_a_range_that_is_invalid(signing):
    with pytest.raises(OSError) as caught: signing.cat_file('bucket/compat/empty.txt', start=0, end=2**40)
    assert compat.says_no_such_range(caught.value), f'an empty file in a bucket is now {caught.value!r}'
    assert not compat.says_no_such_range(OSError(errno.EINVAL, 'Bad request'))


# Dask, Accelerate and Albumentations

def test_dask_executor_holds_its_client_whose_status_is_closed():
    distributed = pytest.importorskip('distributed')
    with distributed.Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None) as client:
        executor = client.get_executor()
        assert not compat.has_lost_scheduler(executor)
    assert compat.has_lost_scheduler(executor), 'ClientExecutor._client.status is no longer "closed" without a scheduler: a run would wait for ever'
    with ThreadPoolExecutor(1) as other: assert not compat.has_lost_scheduler(other)


def test_accelerate_asks_a_sampler_from_a_loader_that_deals_out():
    data_loader = pytest.importorskip('accelerate.data_loader')
    class Rows(list):
        def __iter__(self): yield compat.deals_out_batches()
    batches = data_loader.BatchSamplerShard(BatchSampler(Rows([0]), 1, False), num_processes=1, process_index=0)
    assert [*batches] == [[True]], 'BatchSamplerShard has another name or place: rows that are dealt out twice would be lost in silence'
    assert [*BatchSampler(Rows([0]), 1, False)] == [[False]]


def test_albumentations_compose_keeps_box_params_in_processors():
    A = pytest.importorskip('albumentations')
    params = A.BboxParams('coco', min_area=7)
    assert compat.box_params_of(A.Compose([A.HorizontalFlip()], bbox_params=params)).min_area == 7, 'Compose.processors changed: settings of boxes are lost'
    assert compat.box_params_of(A.Compose([])) is None
