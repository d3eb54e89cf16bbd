"""DiffusionNet (paper 3, 4): from the matrices of a shape to values on it.

`architecture` lists the options of a network, `features` is the table of its inputs. `shape` hands
a shape's matrices to an engine (`numpy_engine`, `torch_engine`), and `forward` computes the network
on its arrays. `card` and `checkpoint` store a network, `published` imports those of the paper's
authors. `module`, `training`, `contrast` and `pair_fit` are for learning. Torch is imported by
these four, by its engine, and to read published files.
"""
