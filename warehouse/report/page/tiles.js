// What fires, and the four numbers. A period is {from, to, shown, before}: whole days, up to where charts go on, and as
// many days before.
const INCIDENTS = (DATA.incidents ?? []).map((incident) => ({
  ...incident,
  place: placeOf(incident.first_firing_at),
}));
const MARKERS = INCIDENTS.map(({ place, severity, rule_name, duration_minutes }) => ({
  place,
  text: `${severity}: ${words(rule_name)}, ${lengthOf(duration_minutes)}`,
}));

function openIncidents() {
  const open = INCIDENTS.filter((incident) => incident.resolved_at === null);
  if (!open.length) return;
  byId("open").hidden = false;
  byId("open").append(
    el("h2", {}, counted(open.length, "open incident")),
    el(
      "ul",
      {},
      ...open.map((one) =>
        el(
          "li",
          {},
          el("strong", {}, `${one.severity}: ${words(one.rule_name)}`),
          ` since ${fullTime(one.first_firing_at)}, for ${lengthOf(one.duration_minutes)}. ${one.condition} ` +
            `${one.worst} at worst. It hits ${counted(one.affected_generation_count, "generation")} of ` +
            `${counted(one.affected_users, "user")}.`,
        ),
      ),
    ),
  );
}

function tile({ name, value, change, better, trend, note }) {
  const isGood = change.sign && better && change.sign > 0 === (better === "up");
  const arrow = { 1: "▲ ", [-1]: "▼ " }[Math.sign(change.sign)] ?? "";
  return el(
    "div",
    { class: "tile" },
    el("h3", {}, name),
    el("div", { class: "value" }, value),
    el(
      "div",
      { class: `change ${!change.sign || !better ? "none" : isGood ? "good" : "bad"}` },
      el("span", { "aria-hidden": "true" }, arrow),
      el("span", { class: "text" }, change.text),
    ),
    el(
      "div",
      { class: "trend" },
      trend.filter((v) => v !== null).length > 1 ? spark(trend, { width: 240, height: 36 }) : null,
    ),
    el("div", { class: "small" }, note),
  );
}

function keyNumbers(period) {
  const { from, to, before } = period,
    length = to - from + 1;
  const of = (measure) => total(measure, period),
    was = (measure) => before && total(measure, before);
  const [all, successes, cost, costed] = [
    "generation_count",
    "success_count",
    "total_cost_usd",
    "costed_generation_count",
  ].map(of);
  const daily = (part, whole) => each(from, to, (place) => ratio(DAYS[part][place], DAYS[whole][place]));
  const range = interval(successes, all);
  const retained = (when) => {
    const cohorts = cohortsJudgedIn(when).filter((cohort) => !cohort.has_older_users);
    return [
      cohorts.reduce((n, each) => n + each.retained_users, 0),
      cohorts.reduce((n, each) => n + each.cohort_size, 0),
    ];
  };
  const judged = cohortsJudgedIn(period),
    now = retained(period);
  const leftOut = judged
    .filter((cohort) => cohort.has_older_users)
    .reduce((n, cohort) => n + cohort.cohort_size, 0);
  const unknownCosts = all > costed ? `; ${count(all - costed)} of unknown cost` : "";
  return [
    {
      name: "Generations per hour",
      value: perHour(all / (24 * length)),
      change: changeInPercent(all / (24 * length), before && was("generation_count") / (24 * length), perHour),
      better: "up",
      trend: each(from, to, (place) => DAYS.generation_count[place]),
      note: `${count(all)} in all`,
    },
    {
      name: "Success rate",
      value: percent(ratio(successes, all), 2),
      change: changeInPoints([successes, all], before && [was("success_count"), was("generation_count")]),
      better: "up",
      trend: daily("success_count", "generation_count"),
      note: range
        ? `95% interval: ${percent(range[0], 2)} to ${percent(range[1], 2)}`
        : "no generation in these days",
    },
    {
      name: "Cost per generation",
      value: cents(ratio(cost, costed)),
      change: changeInPercent(
        ratio(cost, costed),
        before && ratio(was("total_cost_usd"), was("costed_generation_count")),
        cents,
      ),
      better: "down",
      trend: daily("total_cost_usd", "costed_generation_count"),
      note: costed
        ? `${usd(cost)} in all; ${cents(ratio(cost, successes))} a success${unknownCosts}`
        : "no cost is known",
    },
    {
      name: "Come back in the week after",
      value: percent(ratio(...now)),
      change: changeInPoints(now, before && retained(before)),
      better: "up",
      trend: judged
        .filter((cohort) => !cohort.has_older_users)
        .map((cohort) => ratio(cohort.retained_users, cohort.cohort_size)),
      note:
        (now[1]
          ? `of ${count(now[1])} new users whose next week ended in these days`
          : "the next week of no new user ended in these days") +
        (leftOut ? `; ${count(leftOut)} left out who may be older users` : ""),
    },
  ];
}

function tiles(period) {
  byId("tiles").replaceChildren(...keyNumbers(period).map(tile));
}
