"""How a row of something to be sent says whose it is to send: one run's for a while, and then anybody's again."""

# the database's clock
NOW = "timezone('UTC', now())"
IS_DUE = f"(status = 'pending' or (status = 'sending' and claimed_until < {NOW}))"
# takes the parameter lease, in whole seconds
CLAIM = (
    "status = 'sending', attempt_count = attempt_count + 1, "
    f"claimed_until = {NOW} + cast(%(lease)s as integer) * interval '1' second"
)
