// The charts of days.
const PARTS = [
  ["image", "a"],
  ["vision", "c"],
  ["storage", "e"],
  ["unattributed", "d"],
];
function volume({ from, shown }) {
  const failures = each(from, shown, (place) => DAYS.generation_count[place] - DAYS.success_count[place]);
  chart("volume", {
    from,
    to: shown,
    stacked: true,
    format: count,
    markers: MARKERS,
    label: "Generations per day",
    series: [
      { name: "successes", color: "a", values: DAYS.success_count.slice(from, shown + 1) },
      { name: "failures", color: "b", values: failures },
    ],
  });
}

function rate({ from, shown }) {
  const days = each(from, shown, (place) => [DAYS.success_count[place], DAYS.generation_count[place]]);
  chart("rate", {
    from,
    to: shown,
    fromZero: false,
    limits: [0, 1],
    format: percent,
    axis: (value, step) => percent(value, axisDigits(100 * step)),
    markers: MARKERS,
    label: "Success rate per day",
    series: [
      {
        name: "success rate",
        color: "a",
        values: days.map((day) => ratio(...day)),
        band: days.map((day) => interval(...day) ?? [null, null]),
      },
    ],
  });
}

const axisDigits = (step) => (step >= 1 ? 0 : step >= 0.1 ? 1 : 2);
const dollarAxis = (value, step) => `$${number(value, step >= 1 ? 0 : 2)}`;
const secondAxis = (value, step) => `${number(value / 1000, axisDigits(step / 1000))} s`;
const NO_COST = "The log has no cost of these days.";

function cost(period) {
  const { from, shown } = period;
  chart("cost", {
    from,
    to: shown,
    stacked: true,
    format: usd,
    axis: dollarAxis,
    label: "Cost per day by part",
    empty: NO_COST,
    series: PARTS.map(([part, color]) => ({
      name: part,
      color,
      values: DAYS[`${part}_cost_usd`].slice(from, shown + 1),
    })),
  });
  const unknown = total("generation_count", period) - total("costed_generation_count", period);
  byId("cost").append(
    note(
      unknown
        ? `The cost of ${counted(unknown, "generation")} is not known and in no number.`
        : "The cost of every generation is known.",
    ),
  );
}

function waste(period) {
  const { from, to, shown } = period;
  const categories = new Map();
  for (const error of DATA.errors) {
    if (!categories.has(error.error_category))
      categories.set(error.error_category, new Array(LAST_DAY + 1).fill(0));
    const days = categories.get(error.error_category);
    error.failed_cost_usd.forEach((value, place) => {
      days[place] += value;
    });
  }
  const ranked = [...categories]
    .map(([name, days]) => ({ name: words(name), days, sum: sum(days, from, to) }))
    .filter((one) => one.days.some((value, place) => value && place >= from && place <= shown))
    .sort((a, b) => b.sum - a.sum || a.name.localeCompare(b.name));
  const rest = each(from, shown, (place) => ranked.slice(4).reduce((all, one) => all + one.days[place], 0));
  const series = ranked
    .slice(0, 4)
    .map((one, k) => ({ name: one.name, color: "bdac"[k], values: one.days.slice(from, shown + 1) }));
  if (ranked.length > 4) series.push({ name: "others", color: "f", values: rest });
  const failures = total("generation_count", period) - total("success_count", period);
  const known = total("costed_failure_count", period),
    wasted = total("failed_cost_usd", period);
  chart("waste", {
    from,
    to: shown,
    stacked: true,
    format: usd,
    axis: dollarAxis,
    label: "Cost of failures per day by category",
    series,
    empty: failures ? "No cost of a failure is known." : "Nothing failed in these days.",
  });
  if (failures) {
    byId("waste").append(
      note(
        (known === 0
          ? ""
          : `${usd(wasted)} in all, ` +
            `${percent(ratio(wasted, total("total_cost_usd", period)))} of all known cost. `) +
          (known === null
            ? "Of how many failures the cost is known, the older days do not say."
            : `The cost of ${count(known)} of ${counted(failures, "failure")} is known.`),
      ),
    );
  }
}

const quantilesOfDay = new Map();
function durationsOf(place) {
  if (!quantilesOfDay.has(place))
    quantilesOfDay.set(place, quantiles(DATA.styles, place, place, [0.5, 0.95, 0.99]));
  return quantilesOfDay.get(place);
}
function durations({ from, shown }) {
  chart("durations", {
    from,
    to: shown,
    format: seconds,
    axis: secondAxis,
    label: "Duration of successes per day",
    empty: "No duration is known of these days.",
    series: [
      ["half are faster", "c"],
      ["95% are faster", "a"],
      ["99% are faster", "d"],
    ].map(([name, color], k) => ({
      name,
      color,
      values: each(from, shown, (place) => durationsOf(place)[k]),
    })),
  });
}

function people({ from, shown }) {
  chart("people", {
    from,
    to: shown,
    format: count,
    label: "Active users",
    empty: "No generation of these days names a user.",
    series: [
      ["in 30 days", "monthly", "c"],
      ["in 7 days", "weekly", "a"],
      ["on the day", "daily", "e"],
    ].map(([name, span, color]) => ({ name, color, values: DAYS[`${span}_active_users`].slice(from, shown + 1) })),
  });
  if (DAYS.monthly_active_users.slice(from, shown + 1).includes(null)) {
    byId("people").append(note("Spans that begin before the warehouse's first day are not known."));
  }
}

function steps({ from, shown }) {
  byId("steps").closest("section").hidden = !DATA.steps.length;
  chart("steps", {
    from,
    to: shown,
    format: seconds,
    axis: secondAxis,
    label: "Mean duration of each step per day",
    empty: "The log does not say it of these days.",
    series: DATA.steps.map((step, k) => ({
      name: step.step,
      color: "cae"[k % 3],
      values: each(from, shown, (place) => ratio(step.total_ms[place], step.timed_count[place])),
    })),
  });
}
