"""What a process does while it loads its modules."""

import gc

from complaints.serving.process import collector_at_rest


def test_the_collector_waits_for_a_block_and_ignores_what_it_made() -> None:
    ignored = gc.get_freeze_count()
    try:
        with collector_at_rest():
            assert not gc.isenabled()
            made = [[number] for number in range(1000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() - ignored > len(made)
    finally:
        gc.unfreeze()
