"""Realistic logs of an image-generation service, of any size, reproducible from a seed.

A log is drawn in this order: the traffic of every minute (`timeline`), the incidents that disturb it
(`incidents`), the people behind it (`population`), what became of each generation (`generations`) and the texts
that the application would have logged (`documents`, `errors`). `dirt` then spoils a share of the rows, and
`writers` or `postgres` store the result. `log` ties these together; `python -m simulator --help` is the way in.
"""
