"""DiffusionNet (paper 3, 4): from the matrices of a shape to values on it.

`architecture` says which network it is, `features` what it is fed. `shape` hands a shape's matrices
to an engine (`numpy_engine`, `torch_engine`), and `forward` computes the network on its arrays.
`card` and `checkpoint` are how a network is kept, `published` imports those of the paper's authors.
`module` and `training` are what learning needs. Torch is imported by these two, by its engine, and
to read published files.
"""
