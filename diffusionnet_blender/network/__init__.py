"""DiffusionNet (paper 3, 4): from the matrices of a shape to values on it.

`architecture` says which network it is, `forward` computes it on the arrays of an `engine`
(NumPy or torch), `card` and `checkpoint` are how it is kept, `features` what it is fed.
`module` and `training` are what learning needs; they alone, and `torch_engine`, import torch.
"""
