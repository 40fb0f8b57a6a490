"""torchvision, imported here so that its tests run beside every torch

A wheel of another build than torch's (that of PyPI is for CUDA, CI has torch for the CPU) cannot load its operators in C++, and its import fails because some of them are
not there. Declared without code they let all of it be imported that is written in Python: tensors, transforms and box arithmetic. Whatever needs an operator still raises.
"""
import torch

OPERATORS = 'nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor', 'qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor'

try: import torchvision
except RuntimeError as error:
    if 'torchvision::' not in str(error): raise
    declared = torch.library.Library('torchvision', 'DEF') # what is declared goes with this object
    for operator in OPERATORS: declared.define(operator)
    import torchvision  # noqa: F401
from torchvision import tv_tensors  # noqa: F401
from torchvision.transforms import v2  # noqa: F401
