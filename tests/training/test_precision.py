"""Products in half of the digits: only where they are faster, and only if they are wanted."""

import pytest

torch = pytest.importorskip("torch")

from training.precision import UNITS, in_halves  # noqa: E402


def product():
    with torch.no_grad():
        return torch.ones(8, 8) @ torch.ones(8, 8)


def test_products_are_in_halves_where_the_processor_has_units_for_them():
    has_units = any(torch.cpu.get_capabilities().get(unit) for unit in UNITS)
    with in_halves("cpu"):
        assert product().dtype == (torch.bfloat16 if has_units else torch.float32)


@pytest.mark.parametrize("unit", [*UNITS, None])
def test_a_unit_of_either_kind_is_enough(monkeypatch, unit):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, unit: True})
    with in_halves("cpu"):
        assert product().dtype == (torch.float32 if unit is None else torch.bfloat16)
    with in_halves("cpu", wanted=False):
        assert product().dtype == torch.float32
