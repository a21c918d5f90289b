// The panels that are tables.
const OTHER_STYLES = DATA.other_style_count ? `other styles (${count(DATA.other_style_count)})` : "other styles";
const styleName = (style) => style.style ?? OTHER_STYLES;

function styles(period) {
  const { from, to } = period;
  const rows = DATA.styles
    .map((style) => {
      const of = (measure) => sum(style[measure], from, to);
      const [all, successes, costed, cost, failedCost, costedFailures] = [
        "generation_count",
        "success_count",
        "costed_generation_count",
        "total_cost_usd",
        "failed_cost_usd",
        "costed_failure_count",
      ].map(of);
      return { style, all, successes, costed, cost, failedCost, costedFailures, range: interval(successes, all) };
    })
    .filter((row) => row.all)
    .sort((a, b) => (a.style.style === null) - (b.style.style === null) || b.all - a.all);
  const most = Math.max(1, ...rows.map((row) => row.all));
  const overall = ratio(total("success_count", period), total("generation_count", period));
  // a rare style with a wide interval would make all others dots at the edge
  const frequent = rows.filter((row) => row.all >= Math.max(30, most / 50));
  const lowest = Math.min(0.9, ...frequent.map((row) => row.range[0]));
  const scale = [Math.floor(lowest * 10) / 10, 1];
  const weeksOf = (style) =>
    each(0, 11, (week) => to - 7 * (11 - week))
      .filter((end) => end - 6 >= FIRST_WHOLE)
      .map((end) => ratio(sum(style.success_count, end - 6, end), sum(style.generation_count, end - 6, end)));
  byId("styles").replaceChildren(
    scrolling(
      "Styles",
      grid(
        [
          { text: "style", left: true, wrap: true },
          { text: "generations" },
          { text: "share", left: true },
          { text: "success rate" },
          {
            text: `95% interval, ${percent(scale[0], 0)} to 100%`,
            left: true,
            title: "the grey line is the rate of all styles",
          },
          { text: `weekly rate, ${percent(scale[0], 0)} to 100%`, left: true, title: "up to twelve weeks" },
          { text: "cost of a success" },
          { text: "spent on failures" },
          { text: "half are faster" },
          { text: "95% are faster" },
        ],
        rows.map((row) => [
          styleName(row.style),
          count(row.all),
          bar(row.all / most),
          percent(ratio(row.successes, row.all)),
          whisker(row, scale, overall),
          spark(weeksOf(row.style), { low: scale[0], high: scale[1], label: "success rate by week" }),
          row.costed ? cents(ratio(row.cost, row.successes)) : UNKNOWN,
          wastedShare(row),
          ...quantiles([row.style], from, to, [0.5, 0.95]).map(seconds),
        ]),
        { empty: "No generation in these days.", limit: 10 },
      ),
    ),
    ...(rows.length
      ? [
          note(
            "Spent on failures: the share of the style's known cost, and of how many of its failures the cost is " +
              "known. Durations are of successes, within 1%." +
              (DATA.other_style_count
                ? ` Other styles are the ${count(DATA.other_style_count)} rarest of all days in this file.`
                : ""),
          ),
        ]
      : []),
  );
}

const bar = (share) => styled(el("i", { class: "bar" }), { width: `${Math.max(1, 80 * share)}px` });

function whisker({ successes, all, range }, [low, high], overall) {
  const x = (value) => 4 + ((Math.max(value, low) - low) / (high - low)) * 112,
    text = ratio(successes, all);
  return styled(
    el(
      "svg",
      {
        viewBox: "0 0 120 16",
        class: "spark",
        role: "img",
        "aria-label": `${percent(range[0])} to ${percent(range[1])}`,
      },
      el("line", { x1: x(overall), x2: x(overall), y1: 0, y2: 16, class: "all" }),
      el("line", { x1: x(range[0]), x2: x(range[1]), y1: 8, y2: 8, class: "whisker" }),
      el("circle", { cx: x(text), cy: 8, r: 3.5, fill: "var(--a)" }),
    ),
    { width: "120px" },
  );
}

const twoLines = (value, more) => el("span", {}, value, el("small", { class: "below" }, more));

function wastedShare({ all, successes, cost, failedCost, costedFailures }) {
  const failures = all - successes;
  if (!failures) return el("span", { class: "none" }, "no failure");
  const share = costedFailures ? percent(ratio(failedCost, cost)) : UNKNOWN;
  return twoLines(share, costedFailures === null ? "" : `${count(costedFailures)} of ${count(failures)} known`);
}

function errors(period) {
  const { from, to, before } = period;
  const groups = new Map();
  for (const error of DATA.errors) {
    const key = error.error_signature === null ? "" : `${error.error_category}\n${error.error_signature}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(error);
  }
  const rows = [...groups.values()]
    .map((parts) => {
      const of = (measure, first = from, last = to) =>
        parts.reduce((all, error) => {
          const value = sum(error[measure], first, last);
          return all === null || value === null ? null : all + value;
        }, 0);
      const n = of("error_count"),
        isRest = parts[0].error_signature === null;
      return {
        n,
        isRest,
        first: parts[0],
        before: before ? count(of("error_count", before.from, before.to)) : UNKNOWN,
        cost: of("costed_failure_count") === 0 ? UNKNOWN : usd(of("failed_cost_usd")),
        days: each(from, to, (place) => parts.reduce((all, error) => all + error.error_count[place], 0)),
      };
    })
    .filter((row) => row.n)
    .sort((a, b) => a.isRest - b.isRest || b.n - a.n);
  const all = rows.reduce((sum, row) => sum + row.n, 0);
  byId("errors").replaceChildren(
    scrolling(
      "What fails",
      grid(
        [
          { text: "message", left: true, wrap: true },
          { text: "category", left: true },
          { text: "failures" },
          { text: "of all" },
          { text: "before" },
          { text: "known cost" },
          { text: "retry helps", left: true },
          { text: "per day", left: true },
        ],
        rows.map((row) => [
          row.isRest ? `other messages (${count(DATA.other_message_count)})` : row.first.error_signature,
          row.isRest ? "several" : words(row.first.error_category),
          count(row.n),
          percent(row.n / all),
          row.before,
          row.cost,
          row.isRest ? UNKNOWN : row.first.is_retryable ? "yes" : "no",
          spark(row.days, { color: "b", low: 0 }),
        ]),
        { empty: "Nothing failed in these days.", limit: 8 },
      ),
    ),
  );
}

const shade = (cell, share) => {
  cell.style.setProperty("--share", share.toFixed(3));
  cell.classList.add("shaded");
  return cell;
};

function week({ from, to }) {
  const cells = WEEKDAYS.map(() => each(0, 23, () => ({ generations: 0, hours: 0 })));
  for (let place = from; place <= to; place++) {
    for (let hour = 0; hour < 24; hour++) {
      const cell = cells[weekdayOf(place)][hour];
      cell.generations += DATA.hours[24 * place + hour];
      cell.hours += 1;
    }
  }
  const means = cells.map((row) => row.map((cell) => ratio(cell.generations, cell.hours)));
  const most = Math.max(0, ...means.flat());
  if (!most) {
    byId("week").replaceChildren(note("Nothing was logged in these days."));
    return;
  }
  const shown = (mean) =>
    mean === null ? UNKNOWN : most < 10 ? number(mean, 1) : mean < 10000 ? count(mean) : `${count(mean / 1000)}k`;
  const hours = el(
    "tr",
    {},
    el("th", { scope: "col" }, "day"),
    ...each(0, 23, (h) => el("th", { scope: "col" }, String(h))),
  );
  const rows = means.map((row, day) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, WEEKDAYS[day]),
      ...row.map((mean) => (mean === null ? el("td", {}, UNKNOWN) : shade(el("td", {}, shown(mean)), mean / most))),
    ),
  );
  byId("week").replaceChildren(
    scrolling(
      "Mean generations by weekday and hour",
      el("table", { class: "heat hours" }, el("thead", {}, hours), el("tbody", {}, ...rows)),
    ),
    note(
      "The column is the hour's beginning." +
        (to - from < 6 ? " Fewer than seven days: some weekdays are missing." : ""),
    ),
  );
}

function retention({ to }) {
  const dates = [...new Set(DATA.retention.map((row) => row.cohort_date))]
    .filter((date) => placeOf(date) <= to)
    .slice(-13);
  if (!dates.length) {
    byId("retention").replaceChildren(note("No new user is known yet."));
    return;
  }
  const rowsOf = dates.map((date) => DATA.retention.filter((row) => row.cohort_date === date));
  const most = Math.max(1, ...rowsOf.flat().map((row) => row.period_number));
  const heads = el(
    "tr",
    {},
    el("th", { scope: "col", class: "left" }, "week of"),
    el("th", { scope: "col" }, "new"),
    ...each(1, most, (n) => el("th", { scope: "col" }, String(n))),
  );
  const cell = (row) => {
    if (!row) return el("td", {}, el("span", { class: "none" }, ""));
    const title = `${count(row.retained_users)} of ${count(row.cohort_size)}`;
    if (!row.is_complete) return el("td", { class: "running", title: `${title} so far` }, "…");
    const share = ratio(row.retained_users, row.cohort_size);
    return shade(el("td", { title }, number(100 * share, 0)), Math.min(1, share * 1.6));
  };
  const rows = rowsOf.map((cohort) =>
    el(
      "tr",
      cohort[0].has_older_users ? { class: "older" } : {},
      el(
        "th",
        { scope: "row", class: "left" },
        shortDay(placeOf(cohort[0].cohort_date)) + (cohort[0].has_older_users ? " *" : ""),
      ),
      el("td", {}, count(cohort[0].cohort_size)),
      ...each(1, most, (n) => cell(cohort.find((row) => row.period_number === n))),
    ),
  );
  const lag = DATA.clock.retention_date === null ? 0 : LAST_DAY - placeOf(DATA.clock.retention_date);
  byId("retention").replaceChildren(
    scrolling(
      "Retention by week",
      el("table", { class: "heat" }, el("thead", {}, heads), el("tbody", {}, ...rows)),
    ),
    note(
      (rowsOf.some((cohort) => cohort[0].has_older_users)
        ? "* may hold older users, whom the warehouse saw first in these weeks: in no number above. "
        : "") +
        "…: the week still runs." +
        (lag > 0 ? ` As of ${counted(lag, "day")} before the other numbers: it is made once a day.` : ""),
    ),
  );
}

const ENDS = { ok: "over", no_data: "closed: no data", rule_disabled: "closed: switched off" };

function stateOf({ resolved_at: end, resolution, reopened_count: again }) {
  const state = end === null ? "open" : (ENDS[resolution] ?? "over");
  return again ? twoLines(state, `reopened ${counted(again, "time")}`) : state;
}

function lostCost({ lost_cost_usd: cost, affected_failure_count: failures, costed_failure_count: costed }) {
  if (failures === 0) return el("span", { class: "none" }, "no failure");
  if (failures === null || costed === null) return usd(cost);
  return twoLines(costed ? usd(cost) : UNKNOWN, `${count(costed)} of ${count(failures)} known`);
}

function incidents({ from, to, shown }) {
  const rows = INCIDENTS.filter((one) => one.place <= shown && placeOf(one.resolved_at ?? isoOf(LAST_DAY)) >= from);
  const { judged_from: judgedFrom, judged_to: judgedTo } = DATA.judged;
  const isJudged = judgedFrom && placeOf(judgedFrom) <= shown && placeOf(judgedTo) >= from;
  const judged = judgedFrom
    ? `The rules are judged from ${fullTime(judgedFrom)} to ${fullTime(judgedTo)}; of other times no ` +
      "incident is known."
    : "The alert rules were never judged here, so no incident is known.";
  byId("incidents").replaceChildren(
    scrolling(
      "Incidents",
      grid(
        [
          { text: "rule", left: true },
          { text: "since (UTC)", left: true },
          { text: "severity", left: true },
          { text: "state", left: true },
          { text: "length" },
          { text: "worst" },
          { text: "limit" },
          { text: "generations hit" },
          { text: "users hit" },
          { text: "known cost of what failed" },
        ],
        rows.map((one) => [
          words(one.rule_name),
          one.first_firing_at,
          one.severity,
          stateOf(one),
          lengthOf(one.duration_minutes),
          one.worst,
          one.limit,
          count(one.affected_generation_count),
          count(one.affected_users),
          lostCost(one),
        ]),
        { empty: isJudged ? "No incident in these days." : "In these days the rules were not judged.", limit: 8 },
      ),
    ),
    note(
      judged +
        (DATA.hidden_incident_count
          ? ` ${counted(DATA.hidden_incident_count, "older incident")} are not in this file.`
          : ""),
    ),
  );
}

const TIERS = { top_1_percent: "top 1%", next_9_percent: "next 9%", standard: "all others" };
const STAGES = [
  ["new", "new"],
  ["returning", "returning"],
  ["resurrected", "back after a pause"],
  ["dormant", "away for a week"],
  ["inactive", "away for longer"],
];

function spenders() {
  const order = Object.keys(TIERS);
  const tiers = [...DATA.spenders].sort((a, b) => order.indexOf(a.value_tier) - order.indexOf(b.value_tier));
  const all = tiers.reduce((sum, tier) => sum + tier.total_cost_usd, 0);
  const money = (amount) => (all ? usd(amount) : UNKNOWN);
  const stages = STAGES.flatMap(([stage, name]) => {
    const found = DATA.stages.find((row) => row.lifecycle_stage === stage);
    return found ? [`${count(found.user_count)} ${name}`] : [];
  });
  byId("spenders").replaceChildren(
    scrolling(
      "Users by what they cost",
      grid(
        [
          { text: "users by cost", left: true },
          { text: "users" },
          { text: "generations" },
          { text: "known cost" },
          { text: "share of it" },
          { text: "a user" },
        ],
        tiers.map((tier) => [
          TIERS[tier.value_tier] ?? words(tier.value_tier),
          count(tier.user_count),
          count(tier.generation_count),
          money(tier.total_cost_usd),
          percent(ratio(tier.total_cost_usd, all)),
          money(ratio(tier.total_cost_usd, tier.user_count)),
        ]),
        { empty: "No generation names a user." },
      ),
    ),
    note(
      stages.length
        ? `Now: ${stages.join(", ")}.`
        : tiers.length
          ? "Who is new and who returns is not known yet: the warehouse is too young."
          : "",
    ),
  );
}

// The log may have begun in the middle of its first day.
const CUT_DAYS =
  FIRST_WHOLE > 0 ? ` What is before ${fullDay(FIRST_WHOLE)} is no whole day, and in no number.` : "";
const BECAME = { counted: "counted, that value unknown", set_aside: "in no number", repeated: "counted once" };

function issues(period) {
  const keptFrom = DATA.clock.first_kept_date === null ? Infinity : placeOf(DATA.clock.first_kept_date);
  const from = Math.max(period.from, keptFrom);
  const to = period.to;
  if (from > to) {
    byId("issues").replaceChildren(
      note("Rows that were left out are remembered as long as the single generations."),
    );
    return;
  }
  const found = DATA.issues
    .map((issue) => ({ ...issue, rows: sum(issue.row_count, from, to) + issue.undated_count }))
    .filter((issue) => issue.rows)
    .sort((a, b) => b.rows - a.rows);
  const rowsOf = (disposition) =>
    found.filter((issue) => issue.disposition === disposition).reduce((all, issue) => all + issue.rows, 0);
  const undated = found.reduce((all, issue) => all + issue.undated_count, 0);
  const all = total("generation_count", { from, to });
  const [aside, repeated] = [rowsOf("set_aside"), rowsOf("repeated")];
  const rows = all + aside + repeated;
  const since = from > period.from ? `From ${fullDay(from)} on: ` : "";
  byId("issues").replaceChildren(
    note(
      `${since}${counted(rows, "row")} of the log = ${count(all)} counted + ${count(aside)} set aside + ` +
        `${count(repeated)} repeated.` +
        (undated ? ` ${count(undated)} of them have no usable date, and so are in every period.` : "") +
        CUT_DAYS,
    ),
    scrolling(
      "What the log's rows lack",
      grid(
        [
          { text: "what is wrong", left: true },
          { text: "rows" },
          { text: "in 1,000" },
          { text: "what became of them", left: true },
        ],
        found.map((issue) => [
          words(issue.issue),
          count(issue.rows),
          number((1000 * issue.rows) / rows, 2),
          BECAME[issue.disposition],
        ]),
        { empty: "Every row of the log could be used whole.", limit: 8 },
      ),
    ),
  );
}

// What not every log has.
function slices(id, groups, column, { from, to }) {
  byId(id).closest("section").hidden = !groups.length;
  const rows = groups
    .map((group) => {
      const of = (measure) => sum(group[measure], from, to);
      return { name: group[column], all: of("generation_count"), of };
    })
    .filter((row) => row.all)
    .sort((a, b) => b.all - a.all);
  byId(id).replaceChildren(
    scrolling(
      byId(id).previousElementSibling.textContent,
      grid(
        [
          { text: column === "scene_type" ? "scene" : "photo", left: true },
          { text: "generations" },
          { text: "success rate" },
          { text: "cost of a success" },
          { text: "mean duration" },
        ],
        rows.map(({ name, all, of }) => [
          name,
          count(all),
          percent(ratio(of("success_count"), all)),
          of("costed_generation_count") ? cents(ratio(of("total_cost_usd"), of("success_count"))) : UNKNOWN,
          seconds(ratio(of("total_duration_ms"), of("timed_success_count"))),
        ]),
        { empty: "The log does not say it of these days.", limit: 12 },
      ),
    ),
  );
}
const scenes = (period) => slices("scenes", DATA.scenes, "scene_type", period);
const photos = (period) => slices("photos", DATA.photo_sizes, "photo_size_band", period);
