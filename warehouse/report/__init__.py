"""One page with the numbers of the warehouse, made from the marts alone."""
