"""Identifiers and random texts, made for whole columns at once."""

import numpy as np
import pyarrow as pa

# The finaliser of splitmix64: a cheap mixing of 64 bits, good enough to make identifiers look random.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)

_HEX_PAIRS = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint16)
_UUID_TEXT_WIDTH = 36
# Where each of the 16 bytes is in the text form of a UUID, which has four hyphens.
_UUID_PAIR_STARTS = np.array([0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34])
_UUID_HYPHENS = np.array([8, 13, 18, 23])


def mix(numbers: np.ndarray, salt: int) -> np.ndarray:
    """64 random-looking bits for each number: always the same for the same number and salt."""
    bits = numbers.astype(np.uint64) * _GOLDEN + np.uint64(salt)
    bits = (bits ^ (bits >> np.uint64(30))) * _MULTIPLIER_1
    bits = (bits ^ (bits >> np.uint64(27))) * _MULTIPLIER_2
    return bits ^ (bits >> np.uint64(31))


def uuids(numbers: np.ndarray, salts: tuple[int, int]) -> pa.Array:
    """A version-4 UUID for each number: always the same for the same number and salts."""
    halves = np.empty((len(numbers), 2), dtype=np.uint64)
    halves[:, 0] = mix(numbers, salts[0])
    halves[:, 1] = mix(numbers, salts[1])
    octets = halves.view(np.uint8)
    octets[:, 6] = (octets[:, 6] & 0x0F) | 0x40
    octets[:, 8] = (octets[:, 8] & 0x3F) | 0x80
    storage = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(numbers), [None, pa.py_buffer(octets)])
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


def uuid_texts(column: pa.Array) -> pa.StringArray:
    """The text form of a UUID column without nulls."""
    storage = column.storage
    octets = np.frombuffer(storage.buffers()[1], dtype=np.uint8).reshape(-1, 16)
    octets = octets[storage.offset : storage.offset + len(storage)]
    characters = np.empty((len(octets), _UUID_TEXT_WIDTH), dtype=np.uint8)
    pairs = hexadecimal(octets)
    characters[:, _UUID_PAIR_STARTS] = pairs[:, 0::2]
    characters[:, _UUID_PAIR_STARTS + 1] = pairs[:, 1::2]
    characters[:, _UUID_HYPHENS] = ord("-")
    return fixed_width(characters)


def hexadecimal(octets: np.ndarray) -> np.ndarray:
    """Rows of bytes as rows of lower-case hexadecimal characters, two for each byte."""
    return _HEX_PAIRS[octets].view(np.uint8).reshape(len(octets), 2 * octets.shape[1])


def fixed_width(characters: np.ndarray) -> pa.StringArray:
    """A text column from a matrix of ASCII characters, one text a row."""
    count, width = characters.shape
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(width)
    data = np.ascontiguousarray(characters)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data))


def random_characters(rng: np.random.Generator, count: int, width: int, alphabet: str) -> pa.StringArray:
    """Random texts of one width over an ASCII alphabet."""
    letters = np.frombuffer(alphabet.encode(), dtype=np.uint8)
    return fixed_width(letters[rng.integers(0, len(letters), (count, width))])


def job_ids(numbers: np.ndarray, salt: int) -> pa.StringArray:
    """The id of each job number: `job_` and 16 hexadecimal characters."""
    octets = mix(numbers, salt).view(np.uint8).reshape(-1, 8)
    characters = np.empty((len(octets), 20), dtype=np.uint8)
    characters[:, :4] = np.frombuffer(b"job_", dtype=np.uint8)
    characters[:, 4:] = hexadecimal(octets)
    return fixed_width(characters)


def choices(lookup: pa.Array, codes: np.ndarray) -> pa.Array:
    """The lookup's text for each code."""
    return lookup.take(pa.array(codes))
