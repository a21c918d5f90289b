"""The JSON documents of a generation, `costs` and `tokens`: as the application writes them, or as many others do."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.errors import CATEGORIES
from simulator.generations import SUCCESS, Generations
from simulator.texts import choices

# Money is counted in units of 0.00001 dollars, and written by lookup: entry 0 is an absent number.
_UNITS_PER_USD = 100_000
_MAX_UNITS = 99_999
_USD_TEXTS = pa.concat_arrays(
    [pa.array([""]), pa.array(np.arange(1, _MAX_UNITS + 1) / _UNITS_PER_USD).cast(pa.string())]
)
# Entry 0 is an absent number here too: no step uses 0 tokens.
_COUNT_TEXTS = pa.concat_arrays([pa.array([""]), pa.array(np.arange(1, 20_001)).cast(pa.string())])

# The application's form: dollars for a token read and written by the vision model, for one read by the image model, and
# for an image.
_APPLICATION_PRICES = (0.000005, 0.00002, 0.000005, 0.17)
# The application fills the documents in when every step has succeeded. Seldom the failure comes after that.
_FILLED_IN_SHARE = 0.02

# Other forms. The provider's prices in the units above: vision 2.5 and 10 dollars per million tokens read and written,
# image generation 10 and 40.
_VISION_PRICES = (0.25, 1.0)
_IMAGE_PRICES = (1.0, 4.0)

# Tokens of an image of low, medium and high quality, and who asks for which: harder scenes need more of it.
_IMAGE_TOKENS = np.array([272, 1056, 4160])
_LOW_QUALITY_SHARE = np.array([0.55, 0.40, 0.27, 0.16, 0.08], dtype=np.float32)
_HIGH_QUALITY_SHARE = np.array([0.010, 0.020, 0.035, 0.060, 0.100], dtype=np.float32)

_HAS_VISION_COST = np.array([category.has_vision_cost for category in CATEGORIES])

# Forms of `costs`. The texts of a form are before, between and after its numbers.
_FULL, _IMAGE_KEY, _ONLY_TOTAL, _VISION_ONLY, _EMPTY, _NULL = range(6)
_COSTS_OPEN = pa.array(['{"vision":', '{"vision":', '{"total":', '{"vision":', "{}", None])
_COSTS_IMAGE = pa.array([',"image_generation":', ',"image":', "", "", "", ""])
_COSTS_STORAGE = pa.array([',"storage":', ',"storage":', "", "", "", ""])
_COSTS_TOTAL = pa.array([',"total":', ',"total":', "", ',"total":', "", ""])
_COSTS_CLOSE = pa.array(["}", "}", "}", "}", "", ""])

# Forms of `tokens`.
_FLAT, _FLAT_NO_TOTAL, _NESTED, _NESTED_VISION, _NO_TOKENS, _NULL_TOKENS = range(6)
_TOKENS_OPEN = pa.array(
    ['{"input":', '{"input":', '{"vision":{"prompt_tokens":', '{"vision":{"prompt_tokens":', "{}", None]
)
_TOKENS_SECOND = pa.array([',"output":', ',"output":', ',"completion_tokens":', ',"completion_tokens":', "", ""])
_TOKENS_THIRD = pa.array([',"total":', "", '},"image":{"input_tokens":', "", "", ""])
_TOKENS_FOURTH = pa.array(["", "", ',"output_tokens":', "", "", ""])
_TOKENS_CLOSE = pa.array(["}", "}", "}}", "}}", "", ""])

# The application once wrote flat tokens; since this share of the log, most rows nest them by step.
_NESTED_SINCE = 0.4
_NESTED_SHARE = 0.7


def of_application(
    generations: Generations, cost_factor: np.ndarray, rng: np.random.Generator
) -> tuple[pa.Array, pa.Array]:
    """The two documents of each generation as the application writes them."""
    rows = len(generations.user)
    is_filled_in = (generations.failure == SUCCESS) | (rng.random(rows, dtype=np.float32) < _FILLED_IN_SHARE)
    difficulty = generations.difficulty.astype(np.int64)
    counts = {
        "vision_input": rng.integers(900, 1300, rows) + 20 * difficulty,
        "vision_output": rng.integers(200, 380, rows) + 4 * difficulty,
        "image_input": rng.integers(60, 260, rows) + 8 * difficulty,
        "image_output": np.zeros(rows, dtype=np.int64),
    }
    counts = {name: np.where(is_filled_in, count, 0) for name, count in counts.items()}
    read, written, described, image = _APPLICATION_PRICES
    # added as floating point in the application's order, so that they have JavaScript's odd last digits
    vision_usd = (counts["vision_input"] * read + counts["vision_output"] * written) * cost_factor
    image_usd = np.where(is_filled_in, (counts["image_input"] * described + image) * cost_factor, 0)
    costs = {"vision": vision_usd, "image": image_usd, "total": vision_usd + image_usd}
    zeros = pa.array(~is_filled_in)
    return (
        _record({name: pc.if_else(zeros, "0", pa.array(usd).cast(pa.string())) for name, usd in costs.items()}),
        _record({name: pa.array(count).cast(pa.string()) for name, count in counts.items()}),
    )


def _record(members: dict[str, pa.Array]) -> pa.Array:
    texts = []
    for number, (name, values) in enumerate(members.items()):
        texts += [f'{"," if number else "{"}"{name}":', values]
    return pc.binary_join_element_wise(*texts, "}", "")


def of_many_writers(
    generations: Generations, cost_factor: np.ndarray, log_us: int, rng: np.random.Generator
) -> tuple[pa.Array, pa.Array]:
    """The two documents in many forms, in a log that is `log_us` microseconds long."""
    rows = len(generations.user)
    succeeded = generations.failure == SUCCESS
    difficulty = generations.difficulty.astype(np.int64)
    vision_in = rng.integers(600, 2000, rows) + 150 * difficulty
    vision_out = rng.integers(60, 260, rows)
    image_in = rng.integers(180, 700, rows) + 40 * difficulty
    image_out = _IMAGE_TOKENS[_quality(difficulty, rng)]

    costs = _costs(
        _cost_forms(succeeded, generations.failure, rng),
        (vision_in * _VISION_PRICES[0] + vision_out * _VISION_PRICES[1]) * cost_factor,
        (image_in * _IMAGE_PRICES[0] + image_out * _IMAGE_PRICES[1]) * cost_factor,
        rng.integers(1, 7, rows) * cost_factor,
    )
    tokens = _tokens(
        _token_forms(succeeded, generations.created_us / log_us, rng),
        (vision_in, vision_out),
        # Of a failure, the flat form counts the vision step: the image was never made.
        (np.where(succeeded, image_in, vision_in), np.where(succeeded, image_out, vision_out)),
    )
    return costs, tokens


def _quality(difficulty: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    draw = rng.random(len(difficulty), dtype=np.float32)
    return 1 - (draw < _LOW_QUALITY_SHARE[difficulty]) + (draw > 1 - _HIGH_QUALITY_SHARE[difficulty])


def _cost_forms(succeeded: np.ndarray, failure: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    draw = rng.random(len(succeeded), dtype=np.float32)
    of_success = np.searchsorted(np.array([0.865, 0.955, 0.992, 0.992, 0.996], dtype=np.float32), draw)
    unpaid = np.where(draw < 0.6, _EMPTY, _NULL)
    of_failure = np.where(_HAS_VISION_COST[failure] & (draw < 0.9), _VISION_ONLY, unpaid)
    return np.where(succeeded, of_success, of_failure)


def _costs(form: np.ndarray, vision: np.ndarray, image: np.ndarray, storage: np.ndarray) -> pa.Array:
    has_parts = (form == _FULL) | (form == _IMAGE_KEY)
    has_vision = has_parts | (form == _VISION_ONLY)
    vision, image, storage = (_units(amounts) for amounts in (vision, image, storage))
    # Added as floating point in the application's order, so that the total has JavaScript's odd last digits.
    total = vision / _UNITS_PER_USD + np.where(form == _VISION_ONLY, 0, image / _UNITS_PER_USD)
    total += np.where(form == _VISION_ONLY, 0, storage / _UNITS_PER_USD)
    return pc.binary_join_element_wise(
        choices(_COSTS_OPEN, form),
        choices(_USD_TEXTS, np.where(has_vision, vision, 0)),
        choices(_COSTS_IMAGE, form),
        choices(_USD_TEXTS, np.where(has_parts, image, 0)),
        choices(_COSTS_STORAGE, form),
        choices(_USD_TEXTS, np.where(has_parts, storage, 0)),
        choices(_COSTS_TOTAL, form),
        pc.if_else(pa.array(form < _EMPTY), pa.array(total).cast(pa.string()), ""),
        choices(_COSTS_CLOSE, form),
        "",
    )


def _units(amounts: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(amounts), 1, _MAX_UNITS).astype(np.int32)


def _token_forms(succeeded: np.ndarray, position: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    draw = rng.random(len(succeeded), dtype=np.float32)
    nested = (position > _NESTED_SINCE) & (rng.random(len(succeeded), dtype=np.float32) < _NESTED_SHARE)
    flat = np.where(draw < 0.12, _FLAT_NO_TOTAL, _FLAT)
    form = np.where(nested, np.where(succeeded, _NESTED, _NESTED_VISION), flat)
    form[draw > np.where(succeeded, 0.994, 0.75)] = _NO_TOKENS
    form[draw > np.where(succeeded, 0.997, 0.85)] = _NULL_TOKENS
    return form


def _tokens(form: np.ndarray, vision: tuple[np.ndarray, np.ndarray], flat: tuple[np.ndarray, np.ndarray]) -> pa.Array:
    is_flat = form <= _FLAT_NO_TOTAL
    is_nested = (form == _NESTED) | (form == _NESTED_VISION)
    first = np.where(is_flat, flat[0], np.where(is_nested, vision[0], 0))
    second = np.where(is_flat, flat[1], np.where(is_nested, vision[1], 0))
    third = np.where(form == _FLAT, flat[0] + flat[1], np.where(form == _NESTED, flat[0], 0))
    fourth = np.where(form == _NESTED, flat[1], 0)
    return pc.binary_join_element_wise(
        choices(_TOKENS_OPEN, form),
        choices(_COUNT_TEXTS, first),
        choices(_TOKENS_SECOND, form),
        choices(_COUNT_TEXTS, second),
        choices(_TOKENS_THIRD, form),
        choices(_COUNT_TEXTS, third),
        choices(_TOKENS_FOURTH, form),
        choices(_COUNT_TEXTS, fourth),
        choices(_TOKENS_CLOSE, form),
        "",
    )
