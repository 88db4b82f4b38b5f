import sys

from nbmlops.core.threads import short_turns


def test_turns_are_short_in_the_block_and_never_longer_than_they_were() -> None:
    usual = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.02)
        with short_turns():
            within = sys.getswitchinterval()
        after = sys.getswitchinterval()
        sys.setswitchinterval(0.0005)
        with short_turns():
            shorter = sys.getswitchinterval()
    finally:
        sys.setswitchinterval(usual)
    assert [round(seconds * 1e6) for seconds in (within, after, shorter)] == [1000, 20000, 500]
