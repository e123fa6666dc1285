"""Seeded words: text that looks like an answer, costs one token per word, and is the same for the same seed."""

from hashlib import blake2b

# Each has at most six letters, so that with its leading space it is one token.
_WORDS = """
    amber anchor apple arrow autumn badge basin beacon birch bridge brook cabin canal candle cedar chalk cloud coast copper coral
    crane dawn delta drift eagle ember falcon fern field flint forest garden glass globe grain harbor hazel heron island ivory jasper
    kettle ladder lagoon lemon linen magnet maple marble meadow mesa mirror moss needle north oasis ocean olive onyx opal orbit otter
    paper pearl pebble pine plume pollen prism quartz quill raft rain raven reed ridge river robin saddle sage salt sand shell silver
    slate snow spark spruce stone storm summit swan tide timber tulip valley velvet violet walnut water willow
"""
_VOCABULARY = tuple(_WORDS.split())


def digest(*parts: str | int) -> bytes:
    """A stable 16-byte digest of the parts."""
    return blake2b("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def words(count: int, *seed: str | int) -> list[str]:
    """As many tokens as asked for; the first without a leading space."""
    state = int.from_bytes(digest(*seed), "big") | 1
    size = len(_VOCABULARY)
    chosen: list[str] = []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        chosen.append(" " + _VOCABULARY[(state >> 33) % size])
    if chosen:
        chosen[0] = chosen[0][1:]
    return chosen
