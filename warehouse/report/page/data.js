// What the file holds. Every number on the page is a sum over days, or a quotient of two sums.
const DATA = JSON.parse(document.getElementById("data").textContent);
const DAY_MS = 86400000;
const FIRST_MS = DATA.first_date === null ? 0 : Date.parse(DATA.first_date + "T00:00:00Z");
const DAYS = DATA.days ?? {};
const WHOLE = (DAYS.is_complete ?? []).flatMap((isWhole, place) => (isWhole ? [place] : []));
const FIRST_WHOLE = WHOLE.length ? WHOLE[0] : 0;
const LAST_WHOLE = WHOLE.length ? WHOLE[WHOLE.length - 1] : -1;
const LAST_DAY = (DAYS.is_complete ?? []).length - 1;

const placeOf = (date) => Math.round((Date.parse(String(date).slice(0, 10) + "T00:00:00Z") - FIRST_MS) / DAY_MS);
const dateOf = (place) => new Date(FIRST_MS + place * DAY_MS);
const isoOf = (place) => dateOf(place).toISOString().slice(0, 10);
const ratio = (numerator, denominator) => (denominator ? numerator / denominator : null);
const each = (from, to, of) => Array.from({ length: Math.max(0, to - from + 1) }, (_, k) => of(from + k));

// A sum is unknown where one of its days is: null, as the marts say.
function sum(values, from, to) {
  let total = 0;
  for (let place = from; place <= to; place++) {
    if (values[place] === null) return null;
    total += values[place];
  }
  return total;
}
const total = (measure, period) => sum(DAYS[measure], period.from, period.to);

// Wilson's interval, which holds the true share in 95 of 100 cases.
function interval(part, whole) {
  if (!whole) return null;
  const z = 1.959964,
    share = part / whole;
  const half = z * Math.sqrt((share * (1 - share)) / whole + (z * z) / (4 * whole * whole));
  const middle = share + (z * z) / (2 * whole),
    scale = 1 + (z * z) / whole;
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)];
}

// Counts by bucket come as short texts: see _as_run in data.py.
const HALF = Math.floor((DATA.digits ?? "").length / 2);
const DIGITS = new Map([...(DATA.digits ?? "")].map((digit, value) => [digit, value]));
function addRun(text, counts) {
  let at = 0;
  const next = () => {
    let number = 0,
      size = 1;
    for (;;) {
      const digit = DIGITS.get(text[at++]);
      number += (digit % HALF) * size;
      if (digit < HALF) return number;
      size *= HALF;
    }
  };
  let bucket = next() - 1;
  while (at < text.length) {
    const count = next();
    if (count === 0) {
      bucket += next();
    } else {
      counts.set(bucket, (counts.get(bucket) ?? 0) + count);
      bucket += 1;
    }
  }
}

// Quantiles of the durations of some styles' successes, in milliseconds, as the macro duration_quantiles has them.
function quantiles(styles, from, to, shares) {
  const counts = new Map();
  for (const style of styles) {
    for (let place = from; place <= to; place++) if (style.durations[place]) addRun(style.durations[place], counts);
  }
  const buckets = [...counts].sort((a, b) => a[0] - b[0]);
  const count = buckets.reduce((all, bucket) => all + bucket[1], 0);
  const atRank = (rank) => {
    let upToHere = 0;
    for (const [bucket, n] of buckets) {
      upToHere += n;
      if (upToHere > rank) return DATA.bucket_estimates[bucket];
    }
    return null;
  };
  return shares.map((share) => {
    if (!count) return null;
    const rank = share * (count - 1),
      lower = atRank(Math.floor(rank));
    return lower + (rank - Math.floor(rank)) * (atRank(Math.ceil(rank)) - lower);
  });
}

// The weekly cohorts whose week after ended in the period.
const cohortsJudgedIn = (period) =>
  DATA.retention.filter(
    (row) =>
      row.period_number === 1 &&
      row.is_complete &&
      placeOf(row.cohort_date) + 13 >= period.from &&
      placeOf(row.cohort_date) + 13 <= period.to,
  );
