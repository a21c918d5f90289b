"""The error texts of failed generations, as the providers and the storage send them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.texts import choices, fixed_width, hexadecimal, random_characters, uuid_texts, uuids


@dataclass(frozen=True)
class Category:
    """One kind of failure."""

    name: str
    share: float  # of all failures, outside of incidents
    is_retryable: bool
    typical_ms: int
    has_vision_cost: bool  # the vision step was paid for before the failure
    texts: tuple[str, ...]


CATEGORIES = (
    Category(
        "rate_limit", 0.13, True, 1_400, True,
        (
            "429 Rate limit reached for gpt-4o in organization {org} on tokens per min (TPM): Limit 30000, "
            "Used {count}, Requested {count}. Please try again in {seconds}s.",
            "429 Rate limit reached for gpt-image-1 in organization {org} on images per min: Limit 5, Used 5, "
            "Requested 1. Please try again in {seconds}s.",
            "You've exceeded the rate limit, please slow down and try again after {seconds} seconds.",
        ),
    ),
    Category(
        "request_too_large", 0.02, False, 900, False,
        (
            "Request too large for gpt-4o in organization {org} on tokens per min (TPM): Limit 30000, "
            "Requested 3{digits}.",
        ),
    ),
    Category(
        "quota", 0.02, False, 700, False,
        ("429 You exceeded your current quota, please check your plan and billing details.",),
    ),
    Category("billing", 0.01, False, 700, False, ("400 Billing hard limit has been reached",)),
    Category(
        "content_policy", 0.30, False, 5_500, True,
        (
            "400 Your request was rejected as a result of our safety system. Your prompt may contain text that is "
            "not allowed by our safety system.",
            "Your request was rejected by the safety system. If you believe this is an error, include the request "
            "ID {uuid}. safety_violations=[{violation}].",
        ),
    ),
    Category(
        "invalid_image", 0.08, False, 600, False,
        (
            "You uploaded an unsupported image. Please make sure your image has of one the following formats: "
            "['png', 'jpeg', 'gif', 'webp'].",
        ),
    ),
    Category("image_fetch", 0.04, False, 9_000, False, ("400 Timeout while downloading {url}.",)),
    Category(
        "provider_error", 0.16, True, 8_000, True,
        (
            "The server had an error processing your request. Sorry about that! You can retry your request, or "
            "contact us through our help center if you keep seeing this error. (Please include the request ID "
            "{request} in your email.)",
            "500 The server had an error while processing your request. Sorry about that! "
            "(request ID {request}, contact {email})",
        ),
    ),
    Category("timeout", 0.10, True, 60_500, True, ("Request timed out.",)),
    Category("connection", 0.05, True, 3_000, False, ("Connection error.",)),
    Category(
        "storage", 0.05, True, 14_000, True,
        (
            "StorageApiError: The resource already exists",
            "StorageApiError: Payload too large",
            "Upload failed: 503",
        ),
    ),
    Category(
        "authentication", 0.01, False, 400, False,
        ("401 Incorrect API key provided: {key}. You can find your API key at https://platform.openai.com/account/"
         "api-keys.",),
    ),
    Category(
        "unknown", 0.03, False, 2_500, True,
        (
            "TypeError: Cannot read properties of undefined (reading 'b64_json')",
            "ENOENT: no such file or directory, open '/app/uploads/{file}'",
            "Unexpected token < in JSON at position {digits}",
            "getaddrinfo EAI_AGAIN storage-{digits}.internal ({ip})",
            "Webhook for {email} returned 502",
            "Lock on {uuid} expired at {time}",
        ),
    ),
)  # fmt: skip

RATE_LIMIT = next(code for code, category in enumerate(CATEGORIES) if category.name == "rate_limit")

_LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_FIRST_NAMES = pa.array(["anna", "ben", "chloe", "dmitri", "elena", "farid", "grace", "hugo", "ines", "jonas"])
_LAST_NAMES = pa.array(["martin", "novak", "okafor", "petrov", "quinn", "rossi", "silva", "tanaka", "weber", "young"])
_DOMAINS = pa.array(["example.com", "example.org", "mail.example.net", "studio.example"])
_EXTENSIONS = pa.array([".gif", ".jpg", ".png", ".webp", ".HEIC"])
_VIOLATIONS = pa.array(["violence", "sexual", "self-harm", "hate", "copyright"])


def messages(codes: np.ndarray, rng: np.random.Generator) -> pa.StringArray:
    """An error text for each category code."""
    variant = rng.random(len(codes))
    parts: list[pa.StringArray] = []
    places: list[np.ndarray] = []
    for code, category in enumerate(CATEGORIES):
        rows = np.flatnonzero(codes == code)
        chosen = (variant[rows] * len(category.texts)).astype(np.int64)
        for number, text in enumerate(category.texts):
            matching = rows[chosen == number]
            if len(matching):
                parts.append(fill(text, len(matching), rng))
                places.append(matching)
    if not parts:
        return pa.array([], pa.string())
    return pa.concat_arrays(parts).take(pa.array(np.argsort(np.concatenate(places))))


def fill(text: str, count: int, rng: np.random.Generator) -> pa.StringArray:
    """`count` copies of a text, its {placeholders} replaced by random values."""
    pieces = re.split(r"\{(\w+)\}", text)
    columns = [
        _PLACEHOLDERS[piece](count, rng) if position % 2 else pa.repeat(piece, count)
        for position, piece in enumerate(pieces)
    ]
    return pc.binary_join_element_wise(*columns, "")


def _organizations(count: int, rng: np.random.Generator) -> pa.Array:
    return pc.binary_join_element_wise("org-", random_characters(rng, count, 24, _LETTERS_AND_DIGITS), "")


def _requests(count: int, rng: np.random.Generator) -> pa.Array:
    identifiers = fixed_width(hexadecimal(rng.integers(0, 256, (count, 16), dtype=np.uint8)))
    return pc.binary_join_element_wise("req_", identifiers, "")


def _uuids(count: int, rng: np.random.Generator) -> pa.Array:
    return uuid_texts(uuids(rng.integers(0, 2**63, count), (1, 2)))


def _keys(count: int, rng: np.random.Generator) -> pa.Array:
    ends = [random_characters(rng, count, 4, _LETTERS_AND_DIGITS) for _ in range(2)]
    return pc.binary_join_element_wise("sk-proj-", ends[0], "****", ends[1], "")


def _seconds(count: int, rng: np.random.Generator) -> pa.Array:
    return pa.array(np.round(rng.uniform(0.2, 60, count), 3)).cast(pa.string())


def _counts(count: int, rng: np.random.Generator) -> pa.Array:
    return pa.array(rng.integers(10_000, 30_000, count)).cast(pa.string())


def _digits(count: int, rng: np.random.Generator) -> pa.Array:
    return random_characters(rng, count, 4, "0123456789")


def _emails(count: int, rng: np.random.Generator) -> pa.Array:
    first, last, domain = (_pick(names, count, rng) for names in (_FIRST_NAMES, _LAST_NAMES, _DOMAINS))
    return pc.binary_join_element_wise(pc.binary_join_element_wise(first, last, "."), domain, "@")


def _files(count: int, rng: np.random.Generator) -> pa.Array:
    return pc.binary_join_element_wise("IMG_", _digits(count, rng), _pick(_EXTENSIONS, count, rng), "")


def _urls(count: int, rng: np.random.Generator) -> pa.Array:
    folder = random_characters(rng, count, 12, _LETTERS_AND_DIGITS)
    host = _pick(_DOMAINS, count, rng)
    return pc.binary_join_element_wise("https://", host, "/uploads/", folder, "/", _files(count, rng), "")


def _addresses(count: int, rng: np.random.Generator) -> pa.Array:
    numbers = [pa.array(rng.integers(1, 255, count)).cast(pa.string()) for _ in range(4)]
    return pc.binary_join_element_wise(*numbers, ".")


def _violations(count: int, rng: np.random.Generator) -> pa.Array:
    return _pick(_VIOLATIONS, count, rng)


def _times(count: int, rng: np.random.Generator) -> pa.Array:
    seconds = rng.integers(1_700_000_000, 1_800_000_000, count)
    return pc.strftime(pa.array(seconds).cast(pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%SZ")


def _pick(names: pa.Array, count: int, rng: np.random.Generator) -> pa.Array:
    return choices(names, rng.integers(0, len(names), count))


_PLACEHOLDERS: dict[str, Callable[[int, np.random.Generator], pa.Array]] = {
    "count": _counts,
    "digits": _digits,
    "email": _emails,
    "file": _files,
    "ip": _addresses,
    "key": _keys,
    "org": _organizations,
    "request": _requests,
    "seconds": _seconds,
    "time": _times,
    "url": _urls,
    "uuid": _uuids,
    "violation": _violations,
}
