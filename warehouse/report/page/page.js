// The period, and drawing it.
const PANELS = [
  tiles,
  volume,
  rate,
  styles,
  cost,
  waste,
  errors,
  durations,
  people,
  week,
  retention,
  incidents,
  spenders,
  issues,
  scenes,
  photos,
  steps,
];

function periodOf(from, to) {
  const length = to - from + 1;
  const isBefore = from - length >= FIRST_WHOLE;
  return {
    from,
    to,
    // what still runs is shown behind the last whole day, in no number
    shown: to === LAST_WHOLE ? LAST_DAY : to,
    before: isBefore ? { from: from - length, to: from - 1 } : null,
  };
}

function inWords({ from, to, shown, before }) {
  const length = to - from + 1;
  const days = length === 1 ? "1 whole day" : `${count(length)} whole days`;
  return (
    (from === to ? longDay(to) : `${longDay(from)} to ${longDay(to)}`) +
    `: ${days}, in UTC` +
    (before
      ? `, compared with the ${length === 1 ? "day" : `${count(length)} days`} before.`
      : "; there are fewer before them in this file, so nothing is compared.") +
    (shown > to ? ` ${longDay(shown)} still runs: pale or dashed in the charts, in no number.` : "")
  );
}

let period = null;
function render() {
  byId("words").textContent = inWords(period);
  for (const panel of PANELS) panel(period);
}

function choose(from, to) {
  period = periodOf(from, to);
  const form = byId("period"),
    length = to - from + 1;
  form.from.value = isoOf(from);
  form.to.value = isoOf(to);
  for (const button of form.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(to === LAST_WHOLE && Number(button.value) === length));
  }
  history.replaceState(null, "", `#${isoOf(from)}/${isoOf(to)}`);
  render();
}

// The period that the address names, else 28 days, else the longest that fits.
function chooseFromAddress() {
  const asked = location.hash
    .slice(1)
    .split("/")
    .map((date) => (/^\d{4}-\d\d-\d\d$/.test(date) ? placeOf(date) : NaN));
  if (asked.length === 2 && asked[0] >= FIRST_WHOLE && asked[1] <= LAST_WHOLE && asked[0] <= asked[1]) {
    choose(...asked);
    return;
  }
  const length = [28, 7].find((days) => days <= LAST_WHOLE - FIRST_WHOLE + 1) ?? LAST_WHOLE - FIRST_WHOLE + 1;
  choose(LAST_WHOLE - length + 1, LAST_WHOLE);
}

function start() {
  const clock = DATA.clock;
  byId("made").textContent =
    `Made ${DATA.made_at} UTC from the marts on ${DATA.source}. Days and hours are UTC. ` +
    "This file holds sums by day and asks no other place: no user, no id, no message as it was logged.";
  if (LAST_WHOLE < 0) {
    byId("clock").textContent =
      clock.as_of === null
        ? "The warehouse holds no generation yet."
        : "The warehouse holds no whole day yet. Numbers appear when the first day is over.";
    document.querySelector("main").hidden = true;
    byId("period").hidden = true;
    return;
  }
  const silence =
    (Date.parse(clock.as_of.replace(" ", "T")) - Date.parse(clock.newest_generation_at.replace(" ", "T"))) / DAY_MS;
  byId("clock").textContent =
    silence >= 1
      ? `As of ${fullTime(clock.as_of)}. No generation since ${fullTime(clock.newest_generation_at)}.`
      : `Data up to ${fullTime(clock.as_of)}`;
  const form = byId("period");
  form.onsubmit = (event) => event.preventDefault();
  for (const days of [7, 28, 90]) {
    const button = el("button", { type: "button", value: days }, `${days} days`);
    button.disabled = days > LAST_WHOLE - FIRST_WHOLE + 1;
    button.onclick = () => choose(LAST_WHOLE - days + 1, LAST_WHOLE);
    form.querySelector(".buttons").append(button);
  }
  for (const field of [form.from, form.to]) {
    field.min = isoOf(FIRST_WHOLE);
    field.max = isoOf(LAST_WHOLE);
    field.onchange = () => {
      if (!form.from.value || !form.to.value) return;
      const from = Math.max(FIRST_WHOLE, placeOf(form.from.value)),
        to = Math.min(LAST_WHOLE, placeOf(form.to.value));
      if (from <= to) choose(from, to);
    };
  }
  openIncidents();
  chooseFromAddress();
  addEventListener("hashchange", chooseFromAddress);
  let timer;
  addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(render, 150);
  });
}
start();
