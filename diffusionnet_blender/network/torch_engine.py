"""The engine on torch: CUDA, MPS, XPU or CPU."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from scipy import sparse

from ..errors import DeviceError
from .implicit import ImplicitDiffusion


def find_device(name: str = "auto") -> torch.device:
    """The torch device of a name.

    Parameters
    ----------
    name : str
        "auto" (the first of CUDA, XPU, MPS that is there, else the CPU) or a torch name such
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
    there = [kind for kind, available in found.items() if available]
    if name == "auto":
        return torch.device(there[0])
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is not None and device.type in there:
        if (
            device.index is None
            or device.type != "cuda"
            or (device.index < torch.cuda.device_count())
        ):
            return device
    raise DeviceError(
        f"There is no device {name!r} for torch on this machine",
        f"Choose auto, or one of: {', '.join(there)}.",
    )


class TorchEngine:
    """What `forward` asks of an engine, in torch.

    Parameters
    ----------
    device : str or torch.device
    dtype : torch.dtype
    """

    name = "torch"
    exp = staticmethod(torch.exp)
    tanh = staticmethod(torch.tanh)
    stack = staticmethod(torch.stack)
    relu = staticmethod(torch.relu)

    def __init__(self, device: str | torch.device = "auto", dtype: torch.dtype = torch.float32):
        self.torch_device = find_device(str(device))
        self.device = str(self.torch_device)
        self.dtype = dtype

    def array(self, values) -> torch.Tensor:
        """Values in this engine's precision on its device."""
        return self.place(torch.as_tensor(np.asarray(values)))

    def place(self, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor in this engine's precision on its device."""
        # Precision first: Metal has no double precision to receive.
        return tensor.to(self.dtype).to(self.torch_device)

    def inference(self):
        """Context in which no derivatives are kept."""
        return torch.inference_mode()

    def to_numpy(self, values: torch.Tensor) -> np.ndarray:
        """Values as a NumPy array."""
        return values.detach().cpu().numpy()

    def sparse(self, matrix: sparse.csr_matrix) -> GradientMatrix:
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

    @staticmethod
    def at_least(x: torch.Tensor, floor: float) -> torch.Tensor:
        """No entry below the floor."""
        return torch.clamp(x, min=floor)

    @staticmethod
    def concatenate(pieces: list[torch.Tensor]) -> torch.Tensor:
        """Channels side by side."""
        return torch.cat(pieces, dim=-1)

    @staticmethod
    def sparse_product(matrix: GradientMatrix, u: torch.Tensor) -> torch.Tensor:
        """Sparse (m, V) times dense (V, C)."""
        return _SparseProduct.apply(u, matrix)

    @staticmethod
    def softmax(x: torch.Tensor) -> torch.Tensor:
        """Probabilities along the last axis."""
        return torch.softmax(x, dim=-1)


class GradientMatrix:
    """A sparse matrix and its transpose, both ready to multiply, since training needs both."""

    def __init__(self, matrix: sparse.spmatrix, engine: TorchEngine):
        self.forward = _compressed(matrix, engine)
        self._matrix, self._engine, self._transpose = matrix, engine, None

    @property
    def transpose(self) -> torch.Tensor:
        """The transpose, made when the first derivative asks for it."""
        if self._transpose is None:
            self._transpose = _compressed(self._matrix.T, self._engine)
        return self._transpose


def _compressed(matrix: sparse.spmatrix, engine: TorchEngine) -> torch.Tensor:
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
    """Sparse times dense; the matrix is constant, and its transpose is not rebuilt each step."""

    @staticmethod
    def forward(ctx, u, matrix):
        ctx.matrix = matrix
        return matrix.forward @ u

    @staticmethod
    def backward(ctx, upstream):
        return ctx.matrix.transpose @ upstream.contiguous(), None


class _ImplicitStep(torch.autograd.Function):
    """Eq. 2 with its derivatives, on the CPU in double precision, by sparse factorisation.

    With h = (M + t L)^-1 M u and w = (M + t L)^-1 g for an upstream g, the derivative by u is
    M w, and by t it is -w^T L h, channel by channel.
    """

    @staticmethod
    def forward(ctx, u, times, implicit):
        exact = times.detach().cpu().double().numpy()
        diffused = implicit(u.detach().cpu().numpy(), exact)
        ctx.implicit, ctx.exact, ctx.diffused = implicit, exact, diffused
        return torch.as_tensor(diffused).to(u.dtype).to(u.device)

    @staticmethod
    def backward(ctx, upstream):
        solved = ctx.implicit.solve(upstream.detach().cpu().double().numpy(), ctx.exact)
        by_u = ctx.implicit.mass[:, None] * solved
        by_time = -np.einsum("vc,vc->c", solved, ctx.implicit.laplacian @ ctx.diffused)
        by_u, by_time = (
            torch.as_tensor(x).to(upstream.dtype).to(upstream.device) for x in (by_u, by_time)
        )
        return by_u, by_time, None
