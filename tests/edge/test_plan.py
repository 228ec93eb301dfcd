"""Reads are joined up to the limits, and never beyond them."""

from hypothesis import given
from hypothesis import strategies as st

from edge.devices import Device
from edge.plan import Block, Cell, Limits, limits_of, plan_blocks


def cell(register: int, size: int = 1, table: str = "holding_register") -> Cell:
    return Cell(table, register, size, "bit" if table == "coil" else "uint16" if size == 1 else "float32", "ABCD")


def spans(blocks: tuple[Block, ...]) -> list[tuple[int, int]]:
    return [(block.register, block.count) for block in blocks]


def test_three_floats_and_a_far_one_are_two_requests():
    cells = [cell(0, 2), cell(2, 2), cell(10, 2), cell(100, 2)]
    assert spans(plan_blocks(cells, Limits(max_gap=16))) == [(0, 12), (100, 2)]


def test_a_value_is_never_cut_at_the_limit():
    cells = [cell(0, 2), cell(2, 2), cell(4, 2)]
    assert spans(plan_blocks(cells, Limits(max_registers=5))) == [(0, 4), (4, 2)]


def test_a_hole_is_never_asked_for():
    cells = [cell(0), cell(5)]
    assert spans(plan_blocks(cells, Limits(holes=((2, 3),)))) == [(0, 1), (5, 1)]
    assert spans(plan_blocks(cells, Limits(holes=((6, 9),)))) == [(0, 6)]


def test_tables_are_never_mixed():
    cells = sorted([cell(0), cell(1, table="coil")])
    assert len(plan_blocks(cells, Limits())) == 2


def test_coils_come_sixteen_to_a_register():
    cells = [cell(0, table="coil"), cell(800, table="coil")]
    assert spans(plan_blocks(cells, Limits(max_gap=50))) == [(0, 801)]


def test_the_site_overrules_the_profile_and_the_profile_the_transport():
    assert limits_of(Device("m", "tcp://h", "siemens_pac2200")) == Limits(125, 50)
    assert limits_of(Device("m", "rtu:///dev/ttyS0", "siemens_pac2200")) == Limits(125, 16)
    assert limits_of(Device("m", "tcp://h", "eastron_sdm630")) == Limits(80, 50)
    assert limits_of(Device("m", "tcp://h", "eastron_sdm630", max_registers=20, max_gap=0)) == Limits(20, 0)


cells = st.lists(st.tuples(st.integers(0, 400), st.sampled_from([1, 2, 4])), min_size=1, max_size=40).map(
    lambda places: sorted({cell(register, size) for register, size in places})
)
limits = st.builds(
    Limits,
    st.integers(4, 125),
    st.integers(0, 60),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 5)).map(lambda h: (h[0], sum(h))), max_size=3).map(tuple),
)


@given(cells, limits)
def test_every_plan_brings_every_cell_once_within_the_limits(cells, limits):
    blocks = plan_blocks(cells, limits)
    assert [member for block in blocks for member in block.cells] == cells
    for block in blocks:
        assert block.count <= limits.max_registers
        covered = {r for member in block.cells for r in range(member.register, member.register + member.size)}
        read_along = set(range(block.register, block.register + block.count)) - covered
        assert not any(first <= register <= last for register in read_along for first, last in limits.holes)


@given(cells, limits)
def test_halves_of_a_block_bring_what_the_block_brings(cells, limits):
    for block in plan_blocks(cells, limits):
        if len(block.cells) > 1:
            left, right = block.halves()
            assert left.cells + right.cells == block.cells
            assert left.cells
            assert right.cells
