"""The engine on torch: CUDA, MPS, XPU or CPU."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix, spmatrix

from ..errors import DeviceError
from .engine import Engine
from .implicit import ImplicitDiffusion
from .rows import ROWS_IN_CACHE

# Rows at once on a graphics processor: whole shapes, as far as memory is bounded (6 kB a vertex for
# 96 channels).
ROWS_ON_DEVICE = 2**17


def find_device(name: str = "auto") -> torch.device:
    """The torch device of a name.

    Parameters
    ----------
    name : str
        "auto" (the first of CUDA, XPU, MPS that is available, else the CPU) or a torch name such
        as "cpu", "cuda", "cuda:1", "mps", "xpu".

    Raises
    ------
    DeviceError
        If there is no such device on this machine.
    """
    found = {
        "cuda": torch.cuda.is_available(),
        "xpu": torch.xpu.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    present = [kind for kind, available in found.items() if available]
    if name == "auto":
        return torch.device(present[0])
    device: torch.device | None
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is not None and device.type in present:
        if (
            device.index is None
            or device.type != "cuda"
            or (device.index < torch.cuda.device_count())
        ):
            return device
    raise DeviceError(
        f"There is no device {name!r} for torch on this machine",
        f"Choose auto, or one of: {', '.join(present)}.",
    )


class TorchEngine(Engine):
    """Operations of the forward pass in torch.

    Parameters
    ----------
    device : str or torch.device
    dtype : torch.dtype
    """

    name = "torch"

    def __init__(self, device: str | torch.device = "auto", dtype: torch.dtype = torch.float32):
        super().__init__()
        self.torch_device = find_device(str(device))
        self.device = str(self.torch_device)
        self.dtype = dtype

    def array(self, values: Any) -> torch.Tensor:
        """Values in this engine's precision on its device."""
        return self.place(torch.as_tensor(np.asarray(values)))

    def place(self, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor in this engine's precision on its device."""
        # Precision first: Metal has no double precision to receive.
        return tensor.to(self.dtype).to(self.torch_device)

    def inference(self) -> AbstractContextManager[Any]:
        """Context in which no derivatives are kept."""
        return torch.inference_mode()

    def to_numpy(self, values: torch.Tensor) -> np.ndarray:
        """Values as a NumPy array."""
        return values.detach().cpu().numpy()

    def sparse(self, matrix: csr_matrix) -> GradientMatrix:
        """A sparse matrix in this engine's precision on its device."""
        return GradientMatrix(matrix, self)

    def indices(self, values: np.ndarray) -> torch.Tensor:
        """Integers to index with, on the device."""
        return torch.as_tensor(values).to(self.torch_device)

    def implicit_step(
        self, implicit: ImplicitDiffusion, u: torch.Tensor, times: torch.Tensor
    ) -> torch.Tensor:
        """Diffuse (V, C) for times (C,) by eq. 2; differentiable by both."""
        return _ImplicitStep.apply(u, times, implicit)

    def stack(self, arrays: list[torch.Tensor]) -> torch.Tensor:
        """Arrays along a new first axis."""
        return torch.stack(arrays)

    def exp(self, x: torch.Tensor) -> torch.Tensor:
        """Exponential function."""
        return torch.exp(x)

    def at_least(self, x: torch.Tensor, floor: float) -> torch.Tensor:
        """Entrywise maximum with a number."""
        return torch.clamp(x, min=floor)

    def linear(
        self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Linear layer on the channels (n, C)."""
        out = self._take((len(x), len(weight)))
        if bias is None:
            return torch.mm(x, weight.T, out=out)
        return torch.addmm(bias, x, weight.T, out=out)

    def relu(self, x: torch.Tensor) -> torch.Tensor:
        """The positive part."""
        out = self._take(tuple(x.shape))
        return torch.relu(x) if out is None else torch.clamp_min(x, 0.0, out=out)

    def tanh(self, x: torch.Tensor) -> torch.Tensor:
        """Hyperbolic tangent."""
        return torch.tanh(x, out=self._take(tuple(x.shape)))

    def add(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Sum, of the shape of `x`."""
        return torch.add(x, y, out=self._take(tuple(x.shape)))

    def multiply(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Entrywise product, of the shape of `x`."""
        return torch.mul(x, y, out=self._take(tuple(x.shape)))

    def concatenate(self, pieces: list[torch.Tensor]) -> torch.Tensor:
        """Channels side by side."""
        width = sum(piece.shape[1] for piece in pieces)
        return torch.cat(pieces, dim=1, out=self._take((len(pieces[0]), width)))

    def sparse_product(
        self, matrix: GradientMatrix, u: torch.Tensor, vertices: slice
    ) -> torch.Tensor:
        """Rows of sparse (2V, V) times dense (V, C), two for each of some vertices."""
        if torch.is_grad_enabled():
            return _SparseProduct.apply(u, matrix)
        return matrix.rows(2 * vertices.start, 2 * vertices.stop) @ u

    def softmax(self, x: torch.Tensor) -> torch.Tensor:
        """Probabilities along the last axis."""
        return torch.softmax(x, dim=-1)

    @property
    def rows_at_once(self) -> int:
        """Vertices in one portion: all of them where derivatives are kept."""
        if torch.is_grad_enabled():
            return sys.maxsize
        return ROWS_IN_CACHE if self.torch_device.type == "cpu" else ROWS_ON_DEVICE

    @property
    def reuses_memory(self) -> bool:
        """Not on a device, whose memory torch keeps, nor where derivatives are kept."""
        return self.torch_device.type == "cpu" and not torch.is_grad_enabled()

    def _empty(self, shape: tuple[int, ...]) -> torch.Tensor:
        # A tensor of inference mode could not be written to outside of it.
        with torch.inference_mode(False):
            return torch.empty(shape, dtype=self.dtype, device=self.torch_device)

    def _threads(self) -> int:
        return torch.get_num_threads() if self.reuses_memory else 1

    def _start_thread(self) -> None:
        torch.set_num_threads(1)

    @contextlib.contextmanager
    def _one_thread_each(self) -> Iterator[None]:
        # A thread limits itself, and with it every thread that starts later: undone here.
        threads = torch.get_num_threads()
        try:
            yield
        finally:
            torch.set_num_threads(threads)


class GradientMatrix:
    """A sparse matrix, its transpose and portions of its rows, each made when first asked for."""

    def __init__(self, matrix: csr_matrix, engine: TorchEngine):
        self._matrix, self._engine = matrix, engine
        self._portions: dict[tuple[int, int], torch.Tensor] = {}

    def rows(self, start: int, stop: int) -> torch.Tensor:
        """Some rows of the matrix."""
        if (start, stop) not in self._portions:
            self._portions[start, stop] = _compressed(self._matrix[start:stop], self._engine)
        return self._portions[start, stop]

    @property
    def whole(self) -> torch.Tensor:
        """All rows."""
        return self.rows(0, self._matrix.shape[0])

    @cached_property
    def transpose(self) -> torch.Tensor:
        """The transpose, which derivatives need."""
        return _compressed(self._matrix.T, self._engine)


def _compressed(matrix: spmatrix, engine: TorchEngine) -> torch.Tensor:
    """A sparse tensor in the layout that the device multiplies fastest."""
    device = engine.torch_device.type
    if device == "cuda" or (device == "cpu" and torch.backends.mkl.is_available()):
        matrix = matrix.tocsr()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
            tensor = torch.sparse_csr_tensor(
                torch.as_tensor(matrix.indptr.astype(np.int64)),
                torch.as_tensor(matrix.indices.astype(np.int64)),
                torch.as_tensor(matrix.data),
                matrix.shape,
                check_invariants=False,
            )
    else:
        # The other backends multiply coordinate matrices only.
        matrix = matrix.tocoo()
        index = torch.as_tensor(np.stack([matrix.row, matrix.col]).astype(np.int64))
        tensor = torch.sparse_coo_tensor(index, torch.as_tensor(matrix.data), matrix.shape)
    return engine.place(tensor)


class _SparseProduct(torch.autograd.Function):
    """Sparse times dense; the matrix is constant, and its transpose is not rebuilt each step.

    In the matrix's precision, where torch computes other products in half of it.
    """

    @staticmethod
    def forward(ctx: Any, u: torch.Tensor, matrix: GradientMatrix) -> torch.Tensor:
        ctx.matrix, ctx.precision = matrix, u.dtype
        with torch.autocast(u.device.type, enabled=False):
            return matrix.whole @ u.to(matrix.whole.dtype)

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor, None]:
        transpose = ctx.matrix.transpose
        with torch.autocast(upstream.device.type, enabled=False):
            by_u = transpose @ upstream.to(transpose.dtype).contiguous()
        return by_u.to(ctx.precision), None


class _ImplicitStep(torch.autograd.Function):
    """Eq. 2 with its derivatives, on the CPU in double precision, by sparse factorisation.

    With h = (M + t L)^-1 M u and w = (M + t L)^-1 g for an upstream g, the derivative by u is
    M w, and by t it is -w^T L h, channel by channel.
    """

    @staticmethod
    def forward(
        ctx: Any, u: torch.Tensor, times: torch.Tensor, implicit: ImplicitDiffusion
    ) -> torch.Tensor:
        exact = times.detach().cpu().double().numpy()
        diffused = implicit(u.detach().cpu().numpy(), exact)
        ctx.implicit, ctx.exact, ctx.diffused = implicit, exact, diffused
        return torch.as_tensor(diffused).to(u.dtype).to(u.device)

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        solved = ctx.implicit.solve(upstream.detach().cpu().double().numpy(), ctx.exact)
        by_u = ctx.implicit.mass[:, None] * solved
        by_time = -np.einsum("vc,vc->c", solved, ctx.implicit.laplacian @ ctx.diffused)
        by_u, by_time = (
            torch.as_tensor(x).to(upstream.dtype).to(upstream.device) for x in (by_u, by_time)
        )
        return by_u, by_time, None
