"""Reports of operators, for the tests that read them."""

import pytest


@pytest.fixture
def told(capfd):
    """The last report of an operator, as Blender prints it."""

    def last():
        lines = capfd.readouterr().out.splitlines()
        return [line for line in lines if line.startswith(("Info: ", "Warning: "))][-1]

    return last
