import pytest
from layouts import Workers, function_needs, layout_of, limits_of, needs_of, plan_of

from skpar_select.planning.strategies import Direct


def test_direct__reads_extents_of_64_kib_where_the_budget_allows():
    layout = layout_of(n_samples=800, n_features=483_512)
    assert plan_of(layout, memory_budget=300_000_000).width * 4 >= 64 * 2**10
    assert plan_of(layout, memory_budget=60_000_000).width * 4 < 64 * 2**10


def test_direct__of_columns_that_lie_together_gives_every_worker_many_blocks():
    made = plan_of(layout_of("column-major", n_features=10_000), workers=Workers(4))
    assert made.n_blocks >= 4 * 16


@pytest.mark.parametrize(("needs", "narrowest"), [(needs_of(), 16), (function_needs(), 1)])
def test_direct__of_views_gives_no_block_below_what_a_block_costs(needs, narrowest):
    layout = layout_of("memory", n_features=200, views=True)
    widths = [len(block) for block in plan_of(layout, needs).strategies[0].blocks()]
    assert min(widths[:-1]) >= narrowest
    assert (max(widths) > 7) == (narrowest == 16)


def test_direct__does_not_apply_to_chunks():
    layout = layout_of("chunked")
    assert Direct.price(layout, needs_of(), limits_of(layout, needs_of()), 10**9) is None
